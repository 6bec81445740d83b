//! The same functions in an interpreter within this process, which `PyO3` calls.

use std::ffi::CString;
use std::{fs, thread};

use pyo3::prelude::*;

use crate::error::Error;
use crate::programs::jobs::{Cost, Stopwatch};

/// Calls the function of the file, from so many threads, which share the interpreter's lock.
pub(super) fn run(
    file: &str,
    function: &str,
    job: u64,
    threads: u64,
    jobs: u64,
) -> Result<Cost, Error> {
    let failed = |error: PyErr| Error::because(error);
    let code = CString::new(fs::read(file)?).map_err(Error::because)?;
    let function: Py<PyAny> = Python::attach(|py| {
        let module = PyModule::from_code(py, &code, c"jobs.py", c"jobs")?;
        Ok(module.getattr(function)?.unbind())
    })
    .map_err(failed)?;
    let call = |jobs: u64| {
        Python::attach(|py| {
            for _ in 0..jobs {
                // Where a thread of a pool would wait for the next job. To attach anew for each takes longer.
                py.detach(|| ());
                function.call1(py, (job,))?.extract::<u64>(py)?;
            }
            Ok(())
        })
    };
    call(4).map_err(failed)?;
    let stopwatch = Stopwatch::start();
    let done: PyResult<Vec<()>> = thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(|| call(jobs / threads))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap_or(Ok(()))).collect()
    });
    done.map_err(failed)?;
    Ok(stopwatch.stop(jobs / threads * threads))
}
