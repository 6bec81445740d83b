//! The answers to refused requests.

use fsm_examples::http::Refusal;

use super::Response;

/// The status and text with which a [`Refusal`] answers the client.
pub(crate) trait RefusalAnswer {
    /// The response, without [`body`](Self::body).
    fn response(&self) -> Response;

    /// The body: the reason as JSON.
    fn body(&self) -> Vec<u8>;
}

impl RefusalAnswer for Refusal {
    fn response(&self) -> Response {
        let response = Response::new(self.status).json();
        match self.allow {
            Some(methods) => response.with("Allow", methods),
            None => response,
        }
    }

    fn body(&self) -> Vec<u8> {
        crate::api::Error { status: self.status.code(), error: self.why }.to_json()
    }
}
