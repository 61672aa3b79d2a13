//! Deskbell's pages: HTML made from what [`deskbell_admin`] answers.
//!
//! [`router`] has every page, and [`ROUTES`] says who may see which. The pages expect that whoever
//! serves them has checked that, inserted an `axum::Extension<Caller>`, and refused forms of other
//! sites. Nothing is loaded from another host, and no page has a script or a style of its own, so that
//! a strict content security policy holds.

mod assets;
mod attempt;
mod badge;
mod chart;
mod clip;
mod compress;
mod curl;
mod dashboard;
mod destination;
mod filter;
mod form;
mod icon;
mod layout;
mod link;
mod notice;
mod number;
mod pages;
mod params;
mod payload;
mod replay;
mod reply;
mod routes;
mod switched_off;
mod table;
mod time;

pub use pages::sign_in::sign_in;
pub use routes::{ROUTES, router};
