//! A line of 64 bytes to each member of a chat room.

use std::net::SocketAddr;
use std::time::Instant;

use crate::error::Error;
use crate::figure::{Figure, Target, Unit};
use crate::lab::Lab;
use crate::load::room::Room;
use crate::measure::{Slope, allocations, callgrind, in_rounds, memory, system_calls};
use crate::peer::Peer;
use crate::process::ServerCommand;

const PEERS: [Peer; 3] = [Peer::Ours, Peer::Mio, Peer::Tokio];

/// The members that hear a line.
const MEMBERS: [u32; 3] = [1, 100, 5_000];

/// The bound for the memory of a member, who waits for input and messages.
const IDLE_BYTES: f64 = 96.0;

/// The quantity that is counted in a server for each unit of a load.
type Count = fn(
    &Lab,
    &ServerCommand,
    Slope,
    &dyn Fn(SocketAddr, u64) -> Result<(), Error>,
) -> Result<f64, Error>;

pub(super) fn instructions(lab: &Lab) -> Result<Vec<Figure>, Error> {
    let count: Count = |lab, server, slope, load| callgrind::of_server(lab, server, slope, load);
    per_delivery(lab, "instructions", "user instructions", Unit::Instructions, count)
}

pub(super) fn system_calls(lab: &Lab) -> Result<Vec<Figure>, Error> {
    let count: Count = |lab, server, slope, load| system_calls::of_server(lab, server, slope, load);
    per_delivery(lab, "system-calls", "system calls", Unit::SystemCalls, count)
}

pub(super) fn allocations(lab: &Lab) -> Result<Vec<Figure>, Error> {
    let count: Count = |lab, server, slope, load| allocations::of_server(lab, server, slope, load);
    per_delivery(lab, "allocations", "allocations", Unit::Allocations, count)
}

fn per_delivery(
    lab: &Lab,
    counted: &str,
    title: &str,
    unit: Unit,
    count: Count,
) -> Result<Vec<Figure>, Error> {
    let mut figures = Vec::new();
    for members in MEMBERS {
        let name = format!("room-{counted}-{members}");
        let deliveries = lab.amount(200_000, 40_000).max(u64::from(members) * 10);
        let lines = deliveries / u64::from(members) / 10;
        let slope = Slope { few: lines, many: lines * 10 };
        let series = in_rounds(lab, &name, &PEERS, 1, |peer| {
            let server = lab.server("room", peer)?;
            let per_line = count(lab, &server, slope, &|address, lines| {
                let mut room = Room::new()?;
                room.grow(address, members as usize)?;
                room.speak(address, lines)
            })?;
            Ok(per_line / f64::from(members))
        })?;
        let title = format!("{title} per member that hears a line of 64 bytes, {members} members");
        figures.push(Figure::new(&name, &title, unit, [], series));
    }
    Ok(figures)
}

/// The time from a line that a member says to its arrival at all others, who are idle.
pub(super) fn latency(lab: &Lab) -> Result<Vec<Figure>, Error> {
    let mut figures = Vec::new();
    for (members, lines) in [(1, lab.amount(20_000, 2_000)), (100, lab.amount(1_000, 200))] {
        let name = format!("room-latency-{members}");
        let series = in_rounds(lab, &name, &PEERS, lab.runs(), |peer| {
            let server = lab.server("room", peer)?.start()?;
            let mut room = Room::new()?;
            room.grow(server.address, members)?;
            room.speak(server.address, lines / 10)?;
            let start = Instant::now();
            room.speak(server.address, lines)?;
            let per_line = start.elapsed() / u32::try_from(lines).unwrap_or(u32::MAX);
            Ok(per_line.as_secs_f64() * 1e6)
        })?;
        let title = format!("time until a line of 64 bytes has reached {members} idle members");
        let targets = [Target::Times(1.1, Peer::Mio)];
        figures.push(Figure::new(&name, &title, Unit::Microseconds, targets, series));
    }
    Ok(figures)
}

pub(super) fn idle_bytes(lab: &Lab) -> Result<Vec<Figure>, Error> {
    let name = "room-idle-bytes";
    let slope = Slope { few: 2_000, many: lab.amount(18_000, 8_000) };
    let series = in_rounds(lab, name, &PEERS, 1, |peer| {
        let server = lab.server("room", peer)?.start()?;
        let mut room = Room::new()?;
        slope.measure(|members| {
            room.grow(server.address, usize::try_from(members).unwrap_or(0))?;
            memory::anonymous(server.pid)
        })
    })?;
    let title =
        "memory per member of a room that waits for input and messages, with the list of members";
    Ok(vec![Figure::new(name, title, Unit::Bytes, [Target::AtMost(IDLE_BYTES)], series)])
}
