//! Bars over time, as SVG, with the numbers as a table behind them.

use deskbell_admin::Timestamp;
use maud::{Markup, html};

use crate::number::count;
use crate::time;

const BAR_WIDTH: usize = 10;
const GAP: usize = 2;
const HEIGHT: u64 = 100;
/// The least height of a bar that is not zero, so that it can be seen.
const HEIGHT_MIN: u64 = 2;

/// A chart of stacked bars.
pub(crate) struct Chart<'a> {
    /// What it shows, in a sentence, for those who do not see it.
    pub(crate) summary: &'a str,
    /// The parts of each bar, the lowest first: a name, and the class that colours it.
    pub(crate) series: &'a [(&'a str, &'a str)],
    pub(crate) bars: &'a [Bar],
    /// What a bar stands for, such as `minute`.
    pub(crate) per: &'a str,
}

pub(crate) struct Bar {
    pub(crate) from: Timestamp,
    /// One number for each series.
    pub(crate) values: Vec<u64>,
}

impl Bar {
    fn total(&self) -> u64 {
        self.values.iter().fold(0, |sum, value| sum.saturating_add(*value))
    }
}

impl Chart<'_> {
    pub(crate) fn render(&self) -> Markup {
        let most = self.bars.iter().map(Bar::total).max().unwrap_or(0);
        html! {
            figure.chart {
                div.above {
                    @if self.series.len() > 1 { (self.legend()) }
                    span { "at most " (count(most)) " per " (self.per) }
                }
                (self.svg(most))
                div.span {
                    @if let (Some(first), Some(last)) = (self.bars.first(), self.bars.last()) {
                        (time::moment(first.from)) (time::moment(last.from))
                    }
                }
                details.numbers {
                    summary { "Numbers" }
                    div.scroll tabindex="0" role="region" aria-label="Numbers of the chart" { (self.table()) }
                }
            }
        }
    }

    fn legend(&self) -> Markup {
        html! {
            ul.legend {
                @for (name, class) in self.series { li { span.swatch.(class) {} (name) } }
            }
        }
    }

    fn svg(&self, most: u64) -> Markup {
        let width = (self.bars.len() * BAR_WIDTH).max(BAR_WIDTH);
        html! {
            svg role="img" aria-label=(self.summary) viewBox={ "0 0 " (width) " " (HEIGHT) }
                preserveAspectRatio="none" {
                line.grid x1="0" x2=(width) y1="0.5" y2="0.5" {}
                line.grid x1="0" x2=(width) y1="50" y2="50" {}
                @for (index, bar) in self.bars.iter().enumerate() { (self.bar(index, bar, most)) }
                line.base x1="0" x2=(width) y1="99.5" y2="99.5" {}
            }
        }
    }

    fn bar(&self, index: usize, bar: &Bar, most: u64) -> Markup {
        let x = index * BAR_WIDTH + GAP / 2;
        let mut top = HEIGHT;
        let parts: Vec<_> = bar
            .values
            .iter()
            .zip(self.series)
            .filter(|(value, _)| **value > 0)
            .map(|(value, (_, class))| {
                let height = scaled(*value, most).min(top);
                top -= height;
                (class, top, height)
            })
            .collect();
        html! {
            g {
                title { (self.title(bar)) }
                rect.hover x=(index * BAR_WIDTH) y="0" width=(BAR_WIDTH) height=(HEIGHT) {}
                @for (class, y, height) in parts {
                    rect.(class) x=(x) y=(y) width=(BAR_WIDTH - GAP) height=(height) {}
                }
            }
        }
    }

    fn title(&self, bar: &Bar) -> String {
        let values = bar.values.iter().zip(self.series);
        let values: Vec<_> =
            values.map(|(value, (name, _))| format!("{} {name}", count(*value))).collect();
        format!("{}: {}", bar.from, values.join(", "))
    }

    fn table(&self) -> Markup {
        html! {
            table {
                thead { tr {
                    th scope="col" { "From" }
                    @for (name, _) in self.series { th.number scope="col" { (name) } }
                } }
                tbody {
                    @for bar in self.bars {
                        tr {
                            td { (time::moment(bar.from)) }
                            @for value in &bar.values { td.number { (count(*value)) } }
                        }
                    }
                }
            }
        }
    }
}

fn scaled(value: u64, most: u64) -> u64 {
    let height = u128::from(value) * u128::from(HEIGHT) / u128::from(most.max(1));
    u64::try_from(height).unwrap_or(HEIGHT).clamp(HEIGHT_MIN, HEIGHT)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(values: &[[u64; 2]]) -> String {
        let bars: Vec<_> = values
            .iter()
            .zip(0..)
            .map(|(values, minute)| Bar {
                from: Timestamp(minute * 60_000),
                values: values.to_vec(),
            })
            .collect();
        let series = [("delivered", "s-good"), ("failed", "s-bad")];
        Chart { summary: "attempts", series: &series, bars: &bars, per: "minute" }
            .render()
            .into_string()
    }

    #[test]
    fn bars_are_scaled_to_the_highest_and_stacked() {
        let shown = chart(&[[30, 10], [20, 0], [0, 0]]);
        assert!(shown.contains("40 per minute"), "{shown}");
        for bar in [
            r#"class="s-good" x="1" y="25" width="8" height="75""#,
            r#"class="s-bad" x="1" y="0" width="8" height="25""#,
            r#"class="s-good" x="11" y="50" width="8" height="50""#,
        ] {
            assert!(shown.contains(bar), "{bar} in {shown}");
        }
        assert_eq!(shown.matches("class=\"s-").count(), 3, "zero has no bar");
    }

    #[test]
    fn the_table_behind_has_every_number() {
        let shown = chart(&[[1_234, 5], [0, 7]]);
        for number in ["1,234", "5", "0", "7"] {
            assert!(shown.contains(&format!("<td class=\"number\">{number}</td>")), "{shown}");
        }
    }

    #[test]
    fn nothing_and_the_largest_numbers_can_be_drawn() {
        assert!(chart(&[]).contains("at most 0 per minute"));
        let shown = chart(&[[u64::MAX, u64::MAX], [1, 0]]);
        assert!(shown.contains("height=\"2\""), "{shown}");
    }
}
