//! Sixteen publishers at once, fifty packages of each kind from each: 800 of each by the clients' own count.

use super::{Field, SUITE, check};
use crate::Result;
use crate::acceptance::Bench;
use crate::process::{output, say, text};

const PUBLISHERS: usize = 16;
const EACH: usize = 50;

pub(super) fn judge(bench: &Bench) -> Result<()> {
    let field = Field::new(bench, "crowd")?;
    let template = field.template()?;
    let mut pairs = Vec::new();
    for number in 0..PUBLISHERS * EACH {
        pairs.push(field.packages(&template, number)?);
    }
    let begin = std::time::Instant::now();
    std::thread::scope(|scope| {
        let work = |own: &[[std::path::PathBuf; 2]]| -> std::result::Result<(), String> {
            for pair in own {
                let ended = output(&mut field.publish(pair)).map_err(|error| error.to_string())?;
                if !ended.status.success() {
                    return Err(text(&ended));
                }
            }
            Ok(())
        };
        let threads: Vec<_> = pairs.chunks(EACH).map(|own| scope.spawn(move || work(own))).collect();
        threads.into_iter().try_for_each(|thread| thread.join().unwrap_or_else(|_| Err("a thread panicked".to_owned())))
    })?;
    let seconds = begin.elapsed().as_secs_f64();
    let wanted = (PUBLISHERS * EACH, PUBLISHERS * EACH);
    let seen = check::visible(&field.repository)?;
    let apt = super::readers::apt(&field, "client")?;
    let dnf = super::readers::dnf(&field, "client")?;
    field.verify()?;
    if seen != wanted || (apt, dnf) != wanted {
        return Err(format!("{seen:?} packages are in {SUITE}, apt sees {apt}, dnf sees {dnf}, not {wanted:?}").into());
    }
    say("Published", &format!("{} packages by {PUBLISHERS} publishers in {seconds:.0} s", 2 * PUBLISHERS * EACH));
    Ok(())
}
