use super::*;
#[test]
fn dump() {
    for name in ["s3","s8","s15"] {
        let text = std::fs::read_to_string(format!("/tmp/cand/in/{name}.mmd")).unwrap();
        let t=std::time::Instant::now();
        let p = picture(&text);
        println!("{name} {} bytes {:?}", p.len(), t.elapsed());
        std::fs::write(format!("/tmp/cand/out/mine-{name}.html"), format!("<body style='background:#fff'>{p}")).unwrap();
    }
}
