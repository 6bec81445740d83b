//! Expansions as text that can be read, for tests.

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use self::text::{check, expansion};

mod text;

/// The machine of the example `echo`: a test of the workspace compares both, and
/// `examples/src/bin/echo_expanded.rs` with the snapshot.
#[test]
fn echo() {
    let machine = include_str!("snapshots/echo.rs").strip_prefix("#[state_machine(").unwrap();
    let (args, item) = machine.split_once(")]\n").unwrap();
    check("echo", args, item);
}

/// The names in the tokens.
fn names(tokens: TokenStream) -> Vec<String> {
    let names = tokens.into_iter().flat_map(|token| match token {
        TokenTree::Group(group) => names(group.stream()),
        TokenTree::Ident(name) => vec![name.to_string()],
        _ => Vec::new(),
    });
    names.collect()
}

/// The names in the body of `impl Drive`, which is all that runs for an event.
fn names_in_drive(tokens: TokenStream) -> Vec<String> {
    let mut inside = false;
    let mut found = Vec::new();
    for token in tokens {
        match token {
            TokenTree::Ident(name) if name == "Drive" => inside = true,
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => {
                let body = group.stream();
                found.extend(if inside { names(body) } else { names_in_drive(body) });
                inside = false;
            }
            _ => {}
        }
    }
    found
}

#[test]
fn l11_an_expansion_has_no_box_no_table_and_no_allocation() {
    let machine = "enum Every {
        #[read(exact = 8, within = 1s => Gone)] #[to(Line | Parted)] Head,
        #[read(until = b\"\\n\", max = 1KiB, limit => Gone, idle = 1s => Gone)] #[to(Item)] Line,
        #[read(frame = Short, max = 1KiB, limit => Gone, refused => Gone, idle = 1s => Gone)]
        #[to(Body)] Item,
        #[read(upto = left, max = 1KiB, idle = 1s => Gone)] #[to(Body | Sent)] Body { left: u64 },
        #[flush(within = 1s => Gone)] #[to(Head)] Sent,
        #[call(Index, within = 1s => Gone, full => Gone, gone => Gone)] #[to(Head)] Parted,
        #[end] Gone,
    }";
    let args = "start = Head, eof => Gone";
    let tokens = crate::attribute(args.parse().unwrap(), machine.parse().unwrap());
    let text = tokens.to_string();
    assert!(!text.contains("compile_error"), "{text}");
    let names = names_in_drive(tokens);
    for called in ["resume", "expire", "Head", "Line", "Item", "Body", "Sent", "Parted"] {
        assert!(names.iter().any(|name| name == called), "{called}: {names:?}");
    }
    for costly in ["Box", "Vec", "String", "Rc", "Arc", "HashMap", "dyn", "vec", "format"] {
        assert!(!names.iter().any(|name| name == costly), "{costly} in {text}");
    }
}

#[test]
fn data_moves_on() {
    check(
        "carry",
        "start = Head, eof => Gone, error = Fault, error => Sorry, crate = ::other",
        "pub enum Carry {
            #[read(exact = 8, within = 1s => Gone)] #[to(Body)]
            Head,
            #[read(upto = left, max = 1KiB, idle = 1s => Late)] #[to(Body | Done)]
            Body { name: self::Name, left: u64 },
            #[flush(within = 1s => Gone)] #[to(Gone)]
            Late { #[carry] name: self::Name },
            #[run] #[to(Gone)]
            Done { #[carry] name: self::Name, sum: u64 },
            #[run(error => Gone)] #[to(Gone)]
            Sorry { #[error] why: Fault },
            #[end]
            Gone,
        }",
    );
}

#[test]
fn l13_several_waits_share_a_verdict() {
    check(
        "waits",
        "start = Room, seed = String, message = Arc<str>, settings = Limits, eof => Gone",
        "enum Chat {
            #[read(until = b\"\\n\", max = settings.line <= 4KiB, limit => TooLong, begun = BEGUN => Gone,
                idle = settings.idle <= 1h => Gone)]
            #[message] #[tick(20s)] #[to(Room | Ask)] #[rest(drain => Hush)] Room { name: String },
            #[call(Index, within = 1min => Gone, gone => Gone, eof => Gone)] #[tick(5s)] #[to(Room)]
            Ask,
            #[discard(until = b\"\\n\", within = 10s => Gone)] #[to(Room)]
            TooLong { #[carry] name: String },
            #[shutdown(within = 5s => Gone)] #[to(Skip)] Hush,
            #[discard(exact = 4KiB, within = 5s => Gone)] #[to(Gone)] Skip,
            #[end] Gone }",
    );
}

#[test]
fn frames_messages_and_times() {
    check(
        "frames",
        "start = Frame, eof => Gone, limit => Gone, refused => Gone, message = News, module = talk",
        "pub(super) enum Frames {
            #[read(frame = Codec, max = LIMIT, within = never)] #[to(Frame | Wait | Nap)]
            Frame,
            #[message(within = 1d => Stream)] #[to(Wait | Frame)]
            Wait,
            #[sleep(pause, max = 5min)] #[to(Frame)]
            Nap { pause: Duration },
            #[writable(below = 1KiB, idle = 30s => Gone)] #[to(Stream | Gone)]
            Stream,
            #[end]
            Gone,
        }",
    );
}

#[test]
fn calls_and_handoffs_lead_out() {
    check(
        "pools",
        "start = Line, eof => Gone, within = 1min => Late, gone => Gone",
        "enum Pools {
            #[read(some, max = 1KiB)] #[to(Filing | Watching)]
            Line,
            #[call(Index, full => Busy)] #[to(Filing | Looking | Line)]
            Filing { name: String },
            #[call(self::Lookup<8>, within = never)] #[to(Line)]
            Looking { #[carry] name: String },
            #[sleep(1s)] #[to(Filing)]
            Busy { #[carry] name: String, #[job] document: Document },
            #[handoff(Events, full => Refused)]
            Watching { topic: u8 },
            #[flush] #[to(Away)]
            Refused { #[seed] topic: Topic },
            #[handoff(Events)]
            Away,
            #[run(blocking)] #[to(Line)]
            Late,
            #[end]
            Gone,
        }",
    );
}

#[test]
fn jobs_and_seeds_start_a_machine() {
    check(
        "job",
        "start = Digest, job = Document, reply = self::Filed, message = News, error = Fault, \
         error => Failed",
        "pub enum Job {
            #[run(blocking)] #[to(Told | Done)]
            Digest { document: Document },
            #[message(within = 1s => Failed)] #[to(Done)]
            Told,
            #[run(error => Tired)] #[to(Done)]
            Failed,
            #[sleep(1s, error => Failed)] #[to(Done)]
            Tired,
            #[end]
            Done,
        }",
    );
    check(
        "seed",
        "start = Hello, seed = super::Topic",
        "pub enum Seeded { #[sleep(1s)] #[to(Gone)] Hello { topic: super::Topic }, #[end] Gone }",
    );
}

#[test]
fn connections_answer_jobs() {
    check(
        "answers",
        "start = Hello, job = Query, reply = Result<Rows, Lost>, error = Fault, eof => Cut",
        "enum Client {
            #[read(until = b\"\\n\", max = 512, eof => Gone, limit => Gone, within = 9s => Gone)] #[to(Free)]
            Hello,
            #[job(idle = 1min => Gone, eof => Gone, error => Cut)] #[to(Free | Rows | Gone)] #[rest]
            Free,
            #[read(exact = 8, within = 30s => Cut)] #[to(Rows | Free | Gone)]
            Rows { left: u32 },
            #[run] #[to(Gone)]
            Cut,
            #[end]
            Gone,
        }",
    );
}

#[test]
fn a_connection_has_another_socket() {
    check(
        "other",
        "start = Head, eof => Gone, limit => Bad, gone => Bad, error = Fault, message = News",
        "enum Proxy {
            #[read(until = b\"\\n\", max = 512, idle = 1min => Gone)] #[message] #[to(Dial | Upgrade)] #[rest]
            Head,
            #[connect(within = 5s => Bad, refused => Refused, error => Bad)] #[to(Body)]
            Dial { left: u64 },
            #[relay(out, exact = left, max = 16KiB, idle = 9s => Bad)] #[to(Answer)]
            Body { #[carry] left: u64 },
            #[read(other, exact = 8, within = 9s => Bad)] #[to(Back | Rest | Head)]
            Answer,
            #[relay(back, exact = *left + 2, max = MOST, idle = 9s => Bad, eof => Refused)] #[to(Head)]
            Back { left: u32 },
            #[relay(back, max = 16KiB, within = never)] #[to(Gone)]
            Rest,
            #[connect(within = 5s => Bad, refused => Bad)] #[to(Tunnel)]
            Upgrade,
            #[relay(max = 64KiB, idle = 1h => Gone, eof = 30s => Gone)] #[to(Gone)]
            Tunnel,
            #[run] #[to(Gone)]
            Refused,
            #[run] #[to(Gone)]
            Bad,
            #[end]
            Gone,
        }",
    );
}

#[test]
fn a_connection_begins_tls() {
    check(
        "tls",
        "start = Line, eof => Gone, limit => Gone, within = 9s => Late, error = Fault",
        "enum Mail {
            #[read(until = b\"\\n\", max = 512)] #[to(Secure)] #[rest]
            Line,
            #[tls(error => Failed)] #[to(Line)]
            Secure { n: u8 },
            #[run] #[to(Gone)]
            Late,
            #[run] #[to(Gone)]
            Failed { #[error] why: Fault },
            #[end]
            Gone,
        }",
    );
}

#[test]
fn connections_at_rest_move() {
    check("moves", "start = Name, moves, eof => Gone, limit => Gone, within = 9s => Gone", MOVES);
}

#[test]
fn u5_a_machine_without_moves_has_no_code_for_it() {
    let args = "start = Name, eof => Gone, limit => Gone, within = 9s => Gone";
    let without = expansion(args, MOVES);
    for absent in ["MovesHandler", "PackedFields", "fn pack", "fn unpack", "fn moved", "with_moves"]
    {
        assert!(!without.contains(absent), "{absent}");
        assert!(expansion(&format!("{args}, moves"), MOVES).contains(absent), "{absent}");
    }
}

/// A machine with data in a state at rest and in another one.
const MOVES: &str = "enum Talk {
    #[read(until = b\"\\n\", max = 80)] #[to(Line)]
    Name,
    #[read(until = b\"\\n\", max = 80)] #[to(Line | Busy | Rests)] #[rest]
    Line { name: String, r#type: Option<u8> },
    #[sleep(1s)] #[to(Line)]
    Busy { secret: Instant },
    #[sleep(1s)] #[to(Line)] #[rest]
    Rests,
    #[end]
    Gone,
}";

#[test]
fn a_connection_begins_tls_with_a_server_that_its_state_names() {
    check(
        "tls_name",
        "start = Line, eof => Gone, limit => Gone, within = 9s => Gone, settings = Relay",
        "enum Submit {
            #[read(until = b\"\\n\", max = 512)] #[to(Secure)]
            Line,
            #[tls(name = settings.name_of(host), error => Gone)] #[to(Gone)]
            Secure { n: u8, host: String },
            #[end]
            Gone,
        }",
    );
}

#[test]
fn what_is_wrong_leaves_the_rest_usable() {
    check(
        "wrong",
        "start = A, eof => Gon",
        "enum Wrong {
            #[read(exact = 8, within = 10sec => Gone)] #[to(A | Gone)] #[serde(skip)] A,
            #[raed(some)] #[to(A)] B { x: u8 },
            #[end] Gone,
        }",
    );
    check("struct", "start = A", "struct Wrong { a: u8 }");
    check("generic", "start = A", "enum Wrong<T> { #[run] #[to(B)] A { x: T }, #[end] B }");
    check(
        "half",
        "start = A, job =",
        "enum Half { #[call(, gone => C)] #[to(B)] A { x: u8 }, #[handoff] B, #[end] C }",
    );
    check("typing", "start = A,", "enum Wrong { #[run] #[to(B)] A, #[run] B { x: }, #[end] C }");
}
