// cargo run --release -p benches -- all
//! What the ports and the machines cost, beside what else there is.

mod dispatch;
mod figure;

fn main() {
    let mut args = std::env::args().skip(1);
    let peer = args.next().unwrap_or_default();
    let rounds = args.next().unwrap_or_default().parse().unwrap_or(1);
    let peer = dispatch::PEERS.into_iter().find(|p| format!("{p:?}") == peer).unwrap();
    println!("{:?}", dispatch::run(peer, if args.next().is_some() { dispatch::Form::Wire } else { dispatch::Form::Array }, rounds));
}
