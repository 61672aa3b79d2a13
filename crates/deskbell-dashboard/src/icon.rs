//! Icons: strokes of a 16 by 16 grid, drawn by the page itself.

use maud::{Markup, html};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Icon {
    Bell,
    Pulse,
    List,
    Send,
    Letter,
    Book,
    Gear,
    Code,
    Check,
    Cross,
    Warning,
    Clock,
    Dot,
    Search,
}

impl Icon {
    fn path(self) -> &'static str {
        match self {
            Self::Bell => "M4 11V7a4 4 0 0 1 8 0v4l1 1.5H3L4 11ZM6.5 14.5h3",
            Self::Pulse => "M1.5 8.5h3l2-6 3 11 2-5h3",
            Self::List => "M2 4h12M2 8h12M2 12h8",
            Self::Send => "M14 2 7 9M14 2l-4.5 12L7 9 2 6.5 14 2Z",
            Self::Letter => "M2 3.5h12v9H2v-9ZM2 4l6 5 6-5",
            Self::Book => {
                "M3 2.5h8.5A1.5 1.5 0 0 1 13 4v9.5H4.5A1.5 1.5 0 0 1 3 12V2.5ZM3 11h10M6 5.5h4"
            }
            Self::Gear => "M2 4.5h5M11 4.5h3M2 11.5h3M9 11.5h5M9 2.5v4M7 9.5v4",
            Self::Code => "M5.5 4 2 8l3.5 4M10.5 4 14 8l-3.5 4",
            Self::Check => "m3 8.5 3.5 3.5L13 4.5",
            Self::Cross => "m4 4 8 8M12 4l-8 8",
            Self::Warning => "M8 2 1.5 13.5h13L8 2ZM8 6.5v3M8 11.6v.1",
            Self::Clock => "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12ZM8 4.5V8l2.5 1.5",
            Self::Dot => "M8 10a2 2 0 1 0 0-4 2 2 0 0 0 0 4Z",
            Self::Search => "M7 12A5 5 0 1 0 7 2a5 5 0 0 0 0 10ZM10.5 10.5 14 14",
        }
    }
}

pub(crate) fn icon(icon: Icon) -> Markup {
    html! {
        svg.icon viewBox="0 0 16 16" aria-hidden="true" focusable="false" { path d=(icon.path()) {} }
    }
}
