#[state_machine(start = Talk, eof => Gone)]
enum Echo {
    /// Sends back whatever comes.
    #[read(some, max = 16KiB, idle = 60s => Gone)]
    #[to(Talk)]
    #[rest]
    Talk,
    /// The client has left, or said nothing for a minute.
    #[end]
    Gone,
}
