use std::fmt;

use super::run::Recording;

/// The place where two runs first differ.
pub(super) struct Difference<'a> {
    pub(super) input: &'a [u8],
    /// The run that the other one should be like, and its name.
    pub(super) expected: (&'static str, &'a Recording),
    pub(super) found: (&'static str, &'a Recording),
}

impl fmt::Display for Difference<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (expected, found) = (self.expected.1, self.found.1);
        let same = expected.calls.iter().zip(&found.calls).take_while(|(a, b)| a == b).count();
        for (name, run) in [self.expected, self.found] {
            writeln!(f, "{name}:")?;
            self.calls(f, run, same)?;
        }
        if expected.output != found.output {
            self.outputs(f)?;
        }
        Ok(())
    }
}

impl Difference<'_> {
    /// Writes the calls around the first one that differs.
    fn calls(&self, f: &mut fmt::Formatter<'_>, run: &Recording, same: usize) -> fmt::Result {
        let from = same.saturating_sub(2);
        for (n, call) in run.calls.iter().enumerate().skip(from).take(5) {
            let mark = if n < same { ' ' } else { '*' };
            let used = self.input[call.from..call.to].escape_ascii();
            let (state, next) = (call.state, call.next.unwrap_or("the end"));
            writeln!(f, "  {mark} call {}: {state} took b\"{used}\", then {next}", n + 1)?;
        }
        if run.calls.len() <= same {
            writeln!(f, "  * no more calls")?;
        }
        let state = run.state.unwrap_or("the end");
        if run.moved {
            return writeln!(f, "    in {state} then, where a message or the time has led");
        }
        writeln!(f, "    in {state} when the input was used up; {:?} in the end", run.ended)
    }

    /// Writes the output from the first byte on that differs.
    fn outputs(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (expected, found) = (&self.expected.1.output, &self.found.1.output);
        let same = expected.iter().zip(found).take_while(|(a, b)| a == b).count();
        writeln!(f, "output from byte {same} on:")?;
        let width = self.expected.0.len();
        for (name, run) in [self.expected, self.found] {
            let rest = &run.output[same..run.output.len().min(same + 80)];
            writeln!(f, "  {name:>width$}: b\"{}\"", rest.escape_ascii())?;
        }
        Ok(())
    }
}
