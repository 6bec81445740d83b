use super::{ALL, PLAIN, closed_loop, launch};
use crate::figure::{Target, Unit};
use crate::load::echo::churn;
use crate::measure::{Slope, allocations, callgrind, rounds, system_calls};
use crate::{Error, Figure, Lab, Peer};

/// How many polls there are is a matter of who is faster, server or clients: so it is counted again.
const RACES: usize = 3;
/// What is none, but for a list that grows as the first of many come.
const AMORTISED: f64 = 0.01;

pub(crate) fn instructions(lab: &Lab) -> Result<Vec<Figure>, Error> {
    let name = "echo-instructions";
    let slope = Slope { few: 10_000, many: lab.amount(110_000, 30_000) };
    let series = rounds(lab, name, &PLAIN, 1, |peer| {
        callgrind::instructions(lab, &launch(lab, peer)?, slope, closed_loop(1))
    })?;
    let targets = [Target::AtMost(110.0), Target::Times(1.0, Peer::MioFeatures)];
    let what = "user instructions of a 64-byte echo";
    Ok(vec![Figure::new(name, what, Unit::Instructions, targets, series)])
}

pub(crate) fn system_calls(lab: &Lab) -> Result<Vec<Figure>, Error> {
    let mut figures = Vec::new();
    for (depth, limit) in [(1, 2.04), (16, 0.13)] {
        let name = format!("echo-system-calls-p{depth}");
        let few = 16_000;
        let slope = Slope { few, many: few + lab.amount(80_000, 32_000) * depth as u64 };
        let series = rounds(lab, &name, &ALL, RACES, |peer| {
            system_calls::all(lab, &launch(lab, peer)?, slope, closed_loop(depth))
        })?;
        let counter = system_calls::counter();
        let what = format!(
            "system calls of an echo, 64 connections, {depth} at a time on each, counted by {counter}"
        );
        let targets = [Target::AtMost(limit)];
        figures.push(Figure::new(&name, &what, Unit::SystemCalls, targets, series));
    }
    Ok(figures)
}

pub(crate) fn epoll_control(lab: &Lab) -> Result<Vec<Figure>, Error> {
    let slope = Slope { few: 200, many: lab.amount(2_200, 700) };
    let connections = rounds(lab, "echo-epoll-ctl", &ALL, 1, |peer| {
        let calls = |line: &str| line.starts_with("epoll_ctl(");
        system_calls::named(lab, &launch(lab, peer)?, slope, churn, "epoll_ctl", calls)
    })?;
    let slope = Slope { few: 1_600, many: lab.amount(16_000, 6_400) };
    let requests = rounds(lab, "echo-epoll-mod", &ALL, 1, |peer| {
        let calls = |line: &str| line.contains("EPOLL_CTL_MOD");
        system_calls::named(lab, &launch(lab, peer)?, slope, closed_loop(1), "epoll_ctl", calls)
    })?;
    let figure = |name, what, limit, series| {
        Figure::new(name, what, Unit::SystemCalls, [Target::AtMost(limit)], series)
    };
    Ok(vec![
        figure(
            "echo-epoll-ctl",
            "`epoll_ctl` of a connection, from its start to its end",
            1.0,
            connections,
        ),
        figure("echo-epoll-mod", "`EPOLL_CTL_MOD` of an echo", 0.0, requests),
    ])
}

pub(crate) fn allocations(lab: &Lab) -> Result<Vec<Figure>, Error> {
    let slope = Slope { few: 6_400, many: lab.amount(64_000, 19_200) };
    let requests = rounds(lab, "echo-allocations", &PLAIN, 1, |peer| {
        allocations::allocations(lab, &launch(lab, peer)?, slope, closed_loop(1))
    })?;
    let slope = Slope { few: 500, many: lab.amount(5_500, 1_500) };
    let connections = rounds(lab, "echo-allocations-connection", &PLAIN, 1, |peer| {
        allocations::allocations(lab, &launch(lab, peer)?, slope, churn)
    })?;
    let figure = |name, what, series| {
        Figure::new(name, what, Unit::Allocations, [Target::AtMost(AMORTISED)], series)
    };
    Ok(vec![
        figure("echo-allocations", "allocations of an echo", requests),
        figure(
            "echo-allocations-connection",
            "allocations of a connection, of which 16 are open at a time",
            connections,
        ),
    ])
}
