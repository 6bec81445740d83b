/// Takes mail: a machine of forty states, whose picture is tested.
#[state_machine(
    start = Banner, eof => Gone, limit => TooLong, refused => BadSyntax, gone => Unavailable,
    error = Fault, error => Failed, within = 5min => Late,
    Session = Data | Body | Chunk | Vouched | Checked,
    within(Session) = 1h => Late,
)]
enum Mail {
    #[flush]
    #[to(Command)]
    Banner,
    #[read(frame = Verbs, idle = 5min => Late)]
    #[to(
        Ehlo | AuthUser | MailFrom | RcptTo | Data | Chunk | Vrfy | Expn | Help | Rset | Etrn | Quit
            | BadSequence
    )]
    #[rest]
    Command,
    #[run]
    #[to(Command)]
    Ehlo,
    #[read(until = b"\r\n", max = 512)]
    #[to(AuthSecret | Command)]
    AuthUser,
    #[read(until = b"\r\n", max = 512)]
    #[to(AuthCheck | Command)]
    AuthSecret,
    #[call(Accounts)]
    #[to(Authentic | Tarpit)]
    AuthCheck,
    #[run]
    #[to(Command)]
    Authentic,
    #[sleep(3s)]
    #[to(Denied)]
    Tarpit,
    #[call(Accounts)]
    #[to(Vouched | Greylisted | Denied)]
    MailFrom,
    #[run]
    #[to(Command)]
    Vouched,
    #[call(Accounts)]
    #[to(Checked | NoSuchUser | TooMany)]
    RcptTo,
    #[run]
    #[to(Command)]
    Checked,
    #[flush]
    #[to(Body)]
    Data,
    #[read(until = b"\r\n", max = 1000)]
    #[to(Body | Whole | Skip)]
    Body,
    #[read(exact = 64)]
    #[to(Chunk | Whole | Skip)]
    Chunk,
    #[discard(until = b"\r\n.\r\n")]
    #[to(TooBig)]
    Skip,
    #[run(blocking)]
    #[to(Scan)]
    Whole,
    #[call(Scanner)]
    #[to(Queue | Denied)]
    Scan,
    #[call(Spooler)]
    #[to(Queued)]
    Queue,
    #[run]
    #[to(Command)]
    Queued,
    #[call(Accounts)]
    #[to(Known | NoSuchUser)]
    Vrfy,
    #[call(Accounts)]
    #[to(Known | NoSuchUser)]
    Expn,
    #[run]
    #[to(Command)]
    Known,
    #[run]
    #[to(Command)]
    Help,
    #[run]
    #[to(Command)]
    Rset,
    #[call(Spooler)]
    #[to(Known)]
    Etrn,
    #[sleep(1s)]
    #[to(Command)]
    Greylisted,
    #[run]
    #[to(Command)]
    NoSuchUser,
    #[run]
    #[to(Command)]
    TooMany,
    #[run]
    #[to(Command)]
    TooBig,
    #[run]
    #[to(Command)]
    Denied,
    #[run]
    #[to(SkipLine | Quit)]
    BadSyntax,
    #[discard(until = b"\n")]
    #[to(Command)]
    SkipLine,
    #[run]
    #[to(Command | Quit)]
    BadSequence,
    #[run(error => Gone)]
    #[to(Quit)]
    TooLong,
    #[run]
    #[to(Command | Quit)]
    Unavailable,
    #[run(error => Gone)]
    #[to(Quit)]
    Failed,
    #[run(error => Gone)]
    #[to(Quit)]
    Late,
    #[flush(within = 30s => Gone, error => Gone)]
    #[to(Gone)]
    Quit,
    #[end]
    Gone,
}
