//! One page of a list: the parameters, their rules, and the two shapes.

use std::collections::BTreeSet;

use bytes::Bytes;
use serde_json::{Value, json};

use super::directory::Directory;
use super::objects::{Field, Object, Selection, Start};
use super::reply::Reply;
use super::routes::ListRoute;

const LIMIT_DEFAULT: usize = 10;
const LIMIT_MAX: usize = 500;
/// What a greater `limit` is answered with, without an error.
const LIMIT_OVER_MAX: usize = 10;

/// The most ids that a list is asked for at once.
const IDS_MAX: usize = 100;

/// What the API does with a `starting_after` that names no user: Clerk does not document it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum UnknownId {
    /// 422.
    #[default]
    Rejected,
    /// An empty page.
    Empty,
    /// The first page.
    Ignored,
}

/// The parameters of a request, in their order.
pub(crate) struct Parameters<'a>(pub(crate) &'a [(String, String)]);

impl Parameters<'_> {
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// All values of a parameter that may be repeated.
    fn all(&self, name: &str) -> Vec<&str> {
        let values = self.0.iter().filter(|(known, _)| known == name);
        values.map(|(_, value)| value.as_str()).collect()
    }

    /// A number of at least `min`.
    fn number(&self, name: &str, min: i64) -> Result<Option<i64>, Reply> {
        let Some(text) = self.get(name) else { return Ok(None) };
        match text.parse() {
            Ok(number) if number >= min => Ok(Some(number)),
            _ => Err(Reply::invalid_parameter(name)),
        }
    }

    fn is_true(&self, name: &str) -> Result<bool, Reply> {
        match self.get(name) {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(_) => Err(Reply::invalid_parameter(name)),
        }
    }

    /// Refuses a parameter that the list does not have.
    fn check(&self, route: &ListRoute) -> Result<(), Reply> {
        let is_known = |name: &str| {
            matches!(name, "limit" | "offset")
                || (name == "order_by" && !route.orders.is_empty())
                || (name == "paginated" && route.has_paginated)
                || (name == "starting_after" && route.has_starting_after)
                || route.filters.contains(&name)
                || route.ids == Some(name)
        };
        match self.0.iter().find(|(name, _)| !is_known(name)) {
            Some((name, _)) => Err(Reply::unknown_parameter(name)),
            None => Ok(()),
        }
    }
}

/// The page, or the error.
pub(crate) fn page(
    directory: &Directory,
    route: &ListRoute,
    parent: Option<&str>,
    parameters: &Parameters<'_>,
    unknown_id: UnknownId,
) -> Result<Reply, Reply> {
    parameters.check(route)?;
    let objects = directory.objects(route.list);
    let (field, is_descending) = order(route, parameters)?;
    let offset = index(parameters.number("offset", 0)?.unwrap_or(0));
    let mut limit = limit(parameters)?;
    let mut start = Start::Offset(offset);
    if let Some(id) = parameters.get("starting_after") {
        if field != Field::CreatedAt || offset != 0 {
            return Err(Reply::invalid_parameter("starting_after"));
        }
        match (objects.get(id), unknown_id) {
            (Some(object), _) => start = Start::After(object, id),
            (None, UnknownId::Rejected) => return Err(Reply::invalid_parameter("starting_after")),
            (None, UnknownId::Empty) => limit = 0,
            (None, UnknownId::Ignored) => {}
        }
    }
    let filter = filter(route, parameters)?;
    let filter = filter.as_deref();
    let selection = Selection { parent, field, is_descending, start, limit, filter };
    let with_members_count = parameters.is_true("include_members_count")?;
    let shown = |object: &Object| shown(route.list, object, with_members_count);
    let items: Vec<Bytes> = objects.select(&selection).into_iter().map(shown).collect();
    if route.is_array && !parameters.is_true("paginated")? {
        return Ok(Reply::ok(array(&items)));
    }
    let total_count = objects.count(&selection);
    let mut body = b"{\"data\":".to_vec();
    body.extend(array(&items));
    body.extend(format!(",\"total_count\":{total_count}}}").bytes());
    Ok(Reply::ok(body))
}

/// An object as it is shown.
pub(crate) fn shown(list: &str, object: &Object, with_members_count: bool) -> Bytes {
    if list != "organizations" || with_members_count {
        return object.json.clone();
    }
    let mut value: Value = serde_json::from_slice(&object.json).unwrap_or_default();
    if let Some(members) = value.as_object_mut() {
        members.remove("members_count");
    }
    value.to_string().into()
}

pub(crate) fn count(directory: &Directory, list: &str) -> Reply {
    let total_count = directory.objects(list).ids().count();
    Reply::ok(json!({"object": "total_count", "total_count": total_count}).to_string())
}

fn limit(parameters: &Parameters<'_>) -> Result<usize, Reply> {
    match parameters.number("limit", 1)?.map(index) {
        None => Ok(LIMIT_DEFAULT),
        Some(limit) if limit > LIMIT_MAX => Ok(LIMIT_OVER_MAX),
        Some(limit) => Ok(limit),
    }
}

/// The field, and whether the greatest come first. Without a sign the order is ascending.
fn order(route: &ListRoute, parameters: &Parameters<'_>) -> Result<(Field, bool), Reply> {
    let Some(order) = parameters.get("order_by") else { return Ok((Field::CreatedAt, true)) };
    let (name, is_descending) = match order.strip_prefix('-') {
        Some(name) => (name, true),
        None => (order.strip_prefix('+').unwrap_or(order), false),
    };
    let field = route.orders.iter().find(|(known, _)| *known == name);
    let &(_, field) = field.ok_or_else(|| Reply::invalid_parameter("order_by"))?;
    Ok((field, is_descending))
}

type Filter = Box<dyn Fn(&Object) -> bool>;

fn filter(route: &ListRoute, parameters: &Parameters<'_>) -> Result<Option<Filter>, Reply> {
    let mut filters: Vec<Filter> = Vec::new();
    match parameters.get("status").map(str::to_owned) {
        Some(status) => {
            filters.push(Box::new(move |object| object.status.as_ref() == Some(&status)));
        }
        None if route.list == "invitations" => {
            filters.push(Box::new(|object| object.status.as_deref() != Some("revoked")));
        }
        None => {}
    }
    if route.list == "subscription_items" && !parameters.is_true("include_free")? {
        filters.push(Box::new(|object| !object.is_free));
    }
    if let Some(after) = parameters.number("created_at_after", 0)? {
        filters.push(Box::new(move |object| object.created_at > after));
    }
    if let Some(before) = parameters.number("created_at_before", 0)? {
        filters.push(Box::new(move |object| object.created_at < before));
    }
    if let Some(name) = route.ids {
        filters.extend(id_filter(name, &parameters.all(name))?);
    }
    if filters.is_empty() {
        return Ok(None);
    }
    Ok(Some(Box::new(move |object| filters.iter().all(|filter| filter(object)))))
}

/// Those of these ids that are marked with `-` are left out; others are included, also without a mark. An id that is
/// not there changes nothing.
fn id_filter(name: &str, ids: &[&str]) -> Result<Option<Filter>, Reply> {
    if ids.len() > IDS_MAX {
        return Err(Reply::invalid_parameter(name));
    }
    let (mut included, mut excluded) = (BTreeSet::new(), BTreeSet::new());
    for id in ids {
        match id.strip_prefix('-') {
            Some(id) => excluded.insert(id.to_owned()),
            // A bare `+` in a query is a space.
            None => included.insert(id.trim_start_matches(['+', ' ']).to_owned()),
        };
    }
    if ids.is_empty() {
        return Ok(None);
    }
    Ok(Some(Box::new(move |object| {
        (included.is_empty() || included.contains(&object.id)) && !excluded.contains(&object.id)
    })))
}

fn array(items: &[Bytes]) -> Vec<u8> {
    let mut array = vec![b'['];
    array.extend(items.join(&b','));
    array.push(b']');
    array
}

fn index(number: i64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
