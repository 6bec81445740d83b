//! The requests of a run with a fixed number.

/// The requests that may still be sent, and those on the way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Budget {
    /// `None` if only the time bounds the run.
    left: Option<u64>,
    on_the_way: u64,
}

impl Budget {
    pub(crate) fn new(requests: Option<u64>) -> Self {
        Self { left: requests, on_the_way: 0 }
    }

    /// The number of requests that may still be sent; `None` without a bound.
    pub(crate) fn left(&self) -> Option<u64> {
        self.left
    }

    /// Takes a request, which is then on the way; returns whether one was left.
    pub(crate) fn take(&mut self) -> bool {
        match &mut self.left {
            Some(0) => return false,
            Some(left) => *left -= 1,
            None => {}
        }
        self.on_the_way += 1;
        true
    }

    /// Notes that so many requests are answered or lost.
    pub(crate) fn settle(&mut self, requests: u64) {
        self.on_the_way = self.on_the_way.saturating_sub(requests);
    }

    /// All requests are sent, and each is answered or lost.
    pub(crate) fn is_spent(&self) -> bool {
        self.left == Some(0) && self.on_the_way == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_is_spent_when_the_last_request_is_settled() {
        let mut budget = Budget::new(Some(2));
        assert!(budget.take());
        budget.settle(1);
        assert!(!budget.is_spent());
        assert!(budget.take() && !budget.take() && !budget.is_spent());
        budget.settle(1);
        assert!(budget.is_spent() && !budget.take());
    }

    #[test]
    fn without_a_bound_it_is_never_spent() {
        let mut budget = Budget::new(None);
        assert!(budget.take());
        budget.settle(1);
        assert_eq!((budget.is_spent(), budget.left()), (false, None));
    }
}
