use std::fmt;

/// The number of a finding, in the message and in `ERRORS.md`, which shows the code that causes the
/// finding and the code that mends it. The number stays when the words change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Code {
    // The item.
    NotAnEnum = 1,
    Generics = 2,
    DataWithoutNames = 3,
    Number = 4,
    WrongPlace = 5,
    Unreadable = 6,
    Borrowed = 7,

    // The grammar of attributes.
    UnknownKey = 10,
    UnknownAttribute = 11,
    Twice = 12,
    ValueMissing = 13,
    LeadsNowhere = 14,
    ValueUnreadable = 15,
    Grammar = 16,
    TooMuch = 17,
    ReservedWord = 18,
    Conditional = 19,

    // Literals.
    Unit = 20,
    Zero = 21,
    TooLarge = 22,
    NotWhole = 23,
    NotATime = 24,
    Delimiter = 25,
    Never = 26,
    NotASize = 27,

    // Names.
    NoStart = 30,
    UnknownGroup = 31,
    GroupForState = 32,
    StateAndGroup = 33,
    TargetTwice = 34,
    SharedHandler = 35,
    NoHandlerName = 36,
    GroupInItself = 37,
    GroupUnused = 38,
    JobWithoutReply = 39,

    // States and their waits.
    NoWait = 40,
    TwoWaits = 41,
    NoVerdicts = 42,
    EndWithData = 43,
    EndGoesOn = 44,
    NoEnd = 45,
    NoRest = 46,
    NothingToRead = 47,
    TwoShapes = 48,
    NeedlessBound = 49,
    Unbounded = 50,
    NoMessage = 51,
    NobodyWaits = 52,
    NeverChanges = 53,
    HandOffGoesOn = 54,
    NoConnection = 55,
    CallsItself = 56,
    NoSettings = 57,
    BudgetInside = 58,
    BudgetTwice = 59,

    // Events.
    NoEof = 60,
    NoLimit = 61,
    NoError = 62,
    NoDeadline = 63,
    Impossible = 64,
    DeadlineToItself = 65,
    DeadlineAndNever = 66,
    DefaultUnused = 67,
    NoGone = 68,
    IdleNever = 69,

    // Data.
    StartWithData = 70,
    NothingToCarry = 71,
    NothingFills = 72,
    MarkTwice = 73,
    TwoMarks = 74,
    NameTaken = 75,
    StartTakesOne = 76,
    SeedAndJob = 77,
    NoReply = 78,
    MarkUnused = 79,

    // The graph.
    Unreachable = 80,
    Endless = 81,
    BusyCycle = 82,
    OnlyFlushes = 83,
    RepeatsForEver = 84,
    StartIsEnd = 85,

    // Findings that need types.
    OverBudget = 90,

    // Bugs of the macro.
    Bug = 99,

    // Frames.
    NotAFrame = 100,
    FrameGenerics = 101,
    NoDecoder = 102,
    FieldType = 103,
    NoLifetime = 104,
    NoLength = 105,
    NotAField = 106,
    LengthAfter = 107,
    TooWide = 108,
    NoCase = 109,
    SameCase = 110,
    OtherLiteral = 111,
    NotLast = 112,
    NotOptional = 113,
    TwoLayouts = 114,
    OnlyInLines = 115,
    NotInLines = 116,
    TooMuchProgress = 117,
    EmptyFrame = 118,
    NoTag = 119,

    // Connections that answer jobs.
    NoJob = 120,
    WithAndWithoutJob = 121,
    LateAnswer = 122,
    AnswersAndLeaves = 123,

    // The other socket.
    NotConnected = 124,
    OtherClock = 125,

    // TLS.
    TlsWithinTls = 126,

    // Datagrams.
    OnlyDatagrams = 127,

    // Connections that move to another process.
    NeverMoves = 140,
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "fsm::E{:03}", *self as u16)
    }
}
