// cargo run --release -p benches -- all
//! What the ports and the machines cost, beside what else there is.

mod calls;
mod dispatch;
mod figure;
mod rearm;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize| args[at].parse::<u64>().unwrap();
    let peers = [figure::Peer::Ours, figure::Peer::Crossbeam, figure::Peer::Futex];
    let peer = |list: &[figure::Peer]| *list.iter().find(|p| format!("{p:?}") == args[1]).unwrap();
    match &*args[0] {
        "dispatch" => println!("{:?}", dispatch::run(peer(&dispatch::PEERS), if args.len() > 3 { dispatch::Form::Wire } else { dispatch::Form::Array }, number(2))),
        "rearm" => println!("{}", rearm::run(if args[1] == "armed" { rearm::Deadline::Armed } else { rearm::Deadline::Endless }, number(2), number(3))),
        _ => println!("{:?}", calls::run(peer(&peers), number(2), number(3))),
    }
}
