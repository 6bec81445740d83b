use super::setup::{ALL, CONNECTIONS, PLAIN_THREADS, closed_loop, server};
use crate::error::Error;
use crate::figure::{Figure, Target, Unit};
use crate::lab::Lab;
use crate::load::churn::churn;
use crate::measure::system_calls::Filter;
use crate::measure::{Slope, allocations, callgrind, in_rounds, system_calls};
use crate::peer::Peer;

/// Runs per count of system calls. The number of polls varies, because it depends on the relative
/// speed of server and clients.
const RUNS: usize = 3;
/// A limit for counts that are zero except for the growth of a list.
const AMORTISED: f64 = 0.01;

pub(crate) fn instructions(lab: &Lab) -> Result<Vec<Figure>, Error> {
    let name = "echo-instructions";
    let slope = Slope { few: 10_000, many: lab.amount(110_000, 30_000) };
    let series = in_rounds(lab, name, &PLAIN_THREADS, 1, |peer| {
        callgrind::of_server(lab, &server(lab, peer)?, slope, closed_loop(1))
    })?;
    let targets = [Target::AtMost(110.0), Target::Times(1.0, Peer::MioFeatures)];
    let title = "user instructions per 64-byte echo";
    Ok(vec![Figure::new(name, title, Unit::Instructions, targets, series)])
}

pub(crate) fn system_calls(lab: &Lab) -> Result<Vec<Figure>, Error> {
    let mut figures = Vec::new();
    for (depth, limit) in [(1, 2.04), (16, 0.13)] {
        let name = format!("echo-system-calls-p{depth}");
        let few = 16_000;
        let slope = Slope { few, many: few + lab.amount(80_000, 32_000) * depth as u64 };
        let series = in_rounds(lab, &name, &ALL, RUNS, |peer| {
            system_calls::of_server(lab, &server(lab, peer)?, slope, closed_loop(depth))
        })?;
        let title = format!(
            "system calls per echo, {CONNECTIONS} connections, {depth} in flight on each, \
             counted by {}",
            system_calls::counter()
        );
        let targets = [Target::AtMost(limit)];
        figures.push(Figure::new(&name, &title, Unit::SystemCalls, targets, series));
    }
    Ok(figures)
}

pub(crate) fn epoll_ctl(lab: &Lab) -> Result<Vec<Figure>, Error> {
    let slope = Slope { few: 200, many: lab.amount(2_200, 700) };
    let all = Filter { names: "epoll_ctl", containing: "epoll_ctl(" };
    let per_connection = in_rounds(lab, "echo-epoll-ctl", &ALL, 1, |peer| {
        system_calls::filtered(lab, &server(lab, peer)?, slope, all, churn)
    })?;
    let slope = Slope { few: 1_600, many: lab.amount(16_000, 6_400) };
    let modify = Filter { names: "epoll_ctl", containing: "EPOLL_CTL_MOD" };
    let per_echo = in_rounds(lab, "echo-epoll-mod", &ALL, 1, |peer| {
        system_calls::filtered(lab, &server(lab, peer)?, slope, modify, closed_loop(1))
    })?;
    Ok(vec![
        Figure::new(
            "echo-epoll-ctl",
            "`epoll_ctl` calls per connection, from accept to close",
            Unit::SystemCalls,
            [Target::AtMost(1.0)],
            per_connection,
        ),
        Figure::new(
            "echo-epoll-mod",
            "`EPOLL_CTL_MOD` calls per echo",
            Unit::SystemCalls,
            [Target::AtMost(0.0)],
            per_echo,
        ),
    ])
}

pub(crate) fn allocations(lab: &Lab) -> Result<Vec<Figure>, Error> {
    let slope = Slope { few: 6_400, many: lab.amount(64_000, 19_200) };
    let per_echo = in_rounds(lab, "echo-allocations", &PLAIN_THREADS, 1, |peer| {
        allocations::of_server(lab, &server(lab, peer)?, slope, closed_loop(1))
    })?;
    let slope = Slope { few: 500, many: lab.amount(5_500, 1_500) };
    let per_connection =
        in_rounds(lab, "echo-allocations-connection", &PLAIN_THREADS, 1, |peer| {
            allocations::of_server(lab, &server(lab, peer)?, slope, churn)
        })?;
    let targets = [Target::AtMost(AMORTISED)];
    Ok(vec![
        Figure::new(
            "echo-allocations",
            "allocations per echo",
            Unit::Allocations,
            targets,
            per_echo,
        ),
        Figure::new(
            "echo-allocations-connection",
            "allocations per connection, 16 open at a time",
            Unit::Allocations,
            targets,
            per_connection,
        ),
    ])
}
