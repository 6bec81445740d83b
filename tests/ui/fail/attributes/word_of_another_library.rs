//! The waits for a message and for room to write have other names.
//! Plants fsm::E011, fsm::E011.

use fsm_runtime::prelude::*;

#[state_machine(start = News, message = u32, eof => Closed, within = 30s => Closed)]
enum Feed {
    #[wait]
    //~ #[message]
    #[to(Page)]
    News,
    #[drain(below = 64KiB)]
    //~ #[writable(below = 64KiB)]
    #[to(Page | News)]
    Page,
    #[end]
    Closed,
}

struct Client {
    left: u32,
}

impl feed::Handler for Client {
    fn news(&mut self, pages: u32, _: &mut Cx<'_, u32>) -> feed::AfterNews {
        self.left = pages;
        feed::AfterNews::Page
    }

    fn page(&mut self, cx: &mut Cx<'_, u32>) -> feed::AfterPage {
        if self.left == 0 {
            return feed::AfterPage::News;
        }
        self.left -= 1;
        cx.write(b"a page\n");
        feed::AfterPage::Page
    }
}

fn main() {}
