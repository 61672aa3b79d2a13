//! Drawing the state.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style, Stylize};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, List, ListItem, ListState, Paragraph, Wrap};

use super::entry::{Entry, Mark};
use super::state::Screen;
use crate::listen::Answer;

const KEYS: &str = "↑↓ choose  r send again  e edit and send  / filter  space scroll  q quit";
/// Below this width the details are under the list.
const COLUMNS_WIDTH_MIN: u16 = 100;

/// Draws the screen.
pub fn draw(frame: &mut Frame<'_>, screen: &Screen) {
    let [head, body, foot] =
        Layout::vertical([Constraint::Length(2), Constraint::Min(3), Constraint::Length(1)])
            .areas(frame.area());
    let halves = [Constraint::Percentage(45), Constraint::Percentage(55)];
    let [list, details] = if body.width >= COLUMNS_WIDTH_MIN {
        Layout::horizontal(halves).areas(body)
    } else {
        Layout::vertical(halves).areas(body)
    };
    draw_head(frame, head, screen);
    let shown = screen.shown();
    let position = screen.position(&shown);
    draw_list(frame, list, screen, &shown, position);
    draw_details(frame, details, screen, position.map(|position| shown[position]));
    draw_foot(frame, foot, screen);
}

fn draw_head(frame: &mut Frame<'_>, area: Rect, screen: &Screen) {
    let settings = &screen.settings;
    let state = match &screen.lost {
        Some(reason) => Span::from(format!("connection lost: {reason}; connecting again")).red(),
        None => Span::from("connected").green(),
    };
    let lines = vec![
        Line::from(vec![
            Span::from(format!("{} → {}  ", settings.from, settings.targets.join(", "))).bold(),
            state,
        ]),
        Line::from(format!("signing secret {}", settings.secret)).dim(),
    ];
    frame.render_widget(Paragraph::new(lines), area);
}

fn draw_list(
    frame: &mut Frame<'_>,
    area: Rect,
    screen: &Screen,
    shown: &[&Entry],
    position: Option<usize>,
) {
    let title = if screen.filter.is_empty() {
        format!(" events ({}) ", shown.len())
    } else {
        format!(" events with “{}” ({}) ", screen.filter, shown.len())
    };
    let targets = screen.settings.targets.len();
    let items = shown.iter().map(|entry| ListItem::new(item(entry, targets)));
    let list = List::new(items)
        .block(Block::bordered().title(title))
        .highlight_style(Style::new().add_modifier(Modifier::REVERSED));
    let mut state = ListState::default().with_selected(position);
    frame.render_stateful_widget(list, area, &mut state);
}

fn item(entry: &Entry, targets: usize) -> Line<'_> {
    let (mark, color) = match entry.mark(targets) {
        Mark::Waiting => ("…", Color::Yellow),
        Mark::Done => ("✓", Color::Green),
        Mark::Failed => ("✗", Color::Red),
        Mark::Withheld => ("–", Color::Yellow),
    };
    let subject = entry.message.subject.as_deref().unwrap_or(&entry.message.id);
    Line::from(vec![
        Span::from(format!("{} ", entry.at)).dim(),
        Span::from(format!("{mark} ")).fg(color),
        Span::from(format!("{} {subject} ", entry.message.event_type)),
        Span::from(entry.outcome()).fg(color),
    ])
}

fn draw_details(frame: &mut Frame<'_>, area: Rect, screen: &Screen, entry: Option<&Entry>) {
    let lines = match entry {
        Some(entry) => details(entry, &screen.settings.targets),
        None if screen.filter.is_empty() => vec![Line::from("waiting for events").dim()],
        None => vec![Line::from("no event matches; Esc clears the filter").dim()],
    };
    let details = Paragraph::new(lines)
        .block(Block::bordered().title(" details "))
        .wrap(Wrap { trim: false })
        .scroll((screen.scroll, 0));
    frame.render_widget(details, area);
}

fn details<'a>(entry: &'a Entry, targets: &'a [String]) -> Vec<Line<'a>> {
    let message = &entry.message;
    let mut lines = vec![Line::from(format!("{} {}", message.event_type, message.id)).bold()];
    for answer in &entry.answers {
        let target = targets.get(answer.target).map_or("", String::as_str);
        lines.extend(of_answer(answer, target));
    }
    if let Some(why) = entry.withheld {
        lines.push(Line::from(why.text()).yellow());
    }
    lines.push(Line::default());
    let body = message.bytes().map(|bytes| pretty(bytes)).unwrap_or_default();
    lines.extend(body.lines().map(|line| Line::from(line.to_owned())));
    lines
}

fn of_answer<'a>(answer: &'a Answer, target: &'a str) -> Vec<Line<'a>> {
    let color = if answer.is_success() { Color::Green } else { Color::Red };
    let status = answer.status.map_or_else(|| "no answer".to_owned(), |status| status.to_string());
    let mut lines = vec![Line::from(vec![
        Span::from(format!("{status} ")).fg(color),
        Span::from(format!("{} ms  {target}", answer.took.as_millis())),
    ])];
    if let Some(hint) = &answer.hint {
        lines.push(Line::from(hint.found.clone()).fg(color));
        lines.extend(hint.help.lines().map(|line| Line::from(format!("fix: {line}"))));
    }
    if !answer.text.is_empty() {
        lines.extend(answer.text.lines().map(|line| Line::from(line.to_owned()).dim()));
    }
    lines
}

/// JSON in lines; anything else as it is.
fn pretty(bytes: &[u8]) -> String {
    serde_json::from_slice::<serde_json::Value>(bytes)
        .map_or_else(|_| String::from_utf8_lossy(bytes).into_owned(), |json| format!("{json:#}"))
}

fn draw_foot(frame: &mut Frame<'_>, area: Rect, screen: &Screen) {
    let line = if screen.is_typing {
        Line::from(format!("/{}▏  Enter keeps it, Esc clears it", screen.filter))
    } else if let Some(notice) = &screen.notice {
        Line::from(notice.clone()).yellow()
    } else {
        Line::from(KEYS).dim()
    };
    frame.render_widget(Paragraph::new(line), area);
}
