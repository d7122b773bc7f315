//! `config show` and `config set`.

use mirror_proto::v1::EffectiveSetting;

use super::table;
use crate::output::escape::escape;
use crate::output::paint::Paint;
use crate::output::words;

pub(crate) fn settings(settings: &[EffectiveSetting], paint: Paint) -> String {
    let row = |setting: &EffectiveSetting| {
        let assignment = format!("{} = {}", escape(&setting.key), escape(&setting.value));
        [assignment, format!("# {}", words::origin(setting.origin()))]
    };
    let rows: Vec<_> = settings.iter().map(row).collect();
    let dimmed = |line: String| match line.rsplit_once("# ") {
        Some((assignment, origin)) => {
            format!("{assignment}{}\n", paint.dim(&format!("# {origin}")))
        }
        None => line + "\n",
    };
    table(&rows).into_iter().map(dimmed).collect()
}
