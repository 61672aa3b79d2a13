//! Where the next page begins, and what is new in it while the list changes: pure.
//!
//! Offsets count from the beginning of a list: an object that is deleted moves all behind it forward, and the next page
//! would pass over one. A page therefore begins a few objects earlier, with ones that were read already. If none of them
//! is there, more was deleted than that, and the page is asked for again from further back.

use crate::cursor::{Cursor, Seen, TAIL_MAX};
use crate::item::{Item, Listing};
use crate::list::List;

/// Where a page begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Start {
    Beginning,
    Offset(u64),
    /// Behind the object of this id.
    After(String),
}

/// What follows from a page.
#[derive(Debug)]
pub(crate) enum Step {
    /// These objects are new, and the walk goes on there, or is at its end.
    Forward { items: Vec<Item>, next: Option<Cursor> },
    /// Objects may have been passed over: the page has to begin further back.
    Back,
    /// The object of [`Start::After`] is not there any more: the page has to be asked for from this cursor.
    Lost(Cursor),
}

impl Cursor {
    /// Where the next page begins, so many objects further back.
    pub(crate) fn page_start(&self, list: &List, page_size: u16, back: u64) -> Start {
        if self.offset == 0 {
            return Start::Beginning;
        }
        if list.has_starting_after {
            return self.tail.last().map_or(Start::Beginning, |last| Start::After(last.0.clone()));
        }
        let overlap = overlap(page_size).min(self.tail.len() as u64);
        match self.offset.saturating_sub(overlap).saturating_sub(back) {
            0 => Start::Beginning,
            offset => Start::Offset(offset),
        }
    }

    /// What follows from the page that begins there.
    pub(crate) fn step(&self, list: &List, page_size: u16, start: &Start, page: Listing) -> Step {
        let Listing { items, total_count } = page;
        let count = items.len() as u64;
        let (first_new, end) = match start {
            Start::After(_) => match self.without_last_id(list, &items) {
                Some(cursor) => return Step::Lost(cursor),
                None => (0, self.offset + count),
            },
            Start::Beginning => (self.first_new(list, &items).unwrap_or(0), count),
            Start::Offset(offset) => match self.first_new(list, &items) {
                Some(first_new) => (first_new, offset + count),
                None => return Step::Back,
            },
        };
        let has_more = match total_count {
            Some(total_count) if !list.has_starting_after => count > 0 && end < total_count,
            _ => count >= u64::from(page_size),
        };
        let new = items.into_iter().skip(first_new).filter(|item| !self.has_seen(&item.id));
        let items: Vec<Item> = new.collect();
        if !has_more {
            return Step::Forward { items, next: self.next_part(list) };
        }
        let next = Some(self.moved(list, end, &items));
        Step::Forward { items, next }
    }

    /// The same position without the id that Clerk does not know any more, if there is a time to go by instead.
    pub(crate) fn without_id(&self, list: &List) -> Option<Self> {
        let Seen(_, created_at) = self.tail.last()?;
        let bound = list.order.bound_at((*created_at)?);
        Some(Self { offset: 0, bound: Some(bound), ..self.clone() })
    }

    /// Whether the answer shows that Clerk does not know the id: it is empty, or begins before the position.
    /// An empty page is what a list ends with, too; asking by time tells the two apart.
    fn without_last_id(&self, list: &List, items: &[Item]) -> Option<Self> {
        let Seen(_, last) = self.tail.last()?;
        let is_lost = items.first().is_none_or(|first| {
            let keys = list.order.key(first).zip(*last);
            keys.is_some_and(|(first, last)| list.order.is_before(first, last))
        });
        if is_lost { self.without_id(list) } else { None }
    }

    /// The index of the first object behind the position, or `None` if some may be missing between the two.
    fn first_new(&self, list: &List, items: &[Item]) -> Option<usize> {
        let Some(Seen(_, last)) = self.tail.last() else { return Some(0) };
        if let Some(index) = items.iter().position(|item| self.has_seen(&item.id)) {
            return Some(index + 1);
        }
        let order = list.order;
        let (Some(last), Some(first)) = (*last, order.key(items.first()?)) else { return Some(0) };
        let is_read = |item: &Item| order.key(item).is_some_and(|key| order.is_before(key, last));
        order
            .is_before(first, last)
            .then(|| items.iter().position(|item| !is_read(item)).unwrap_or(items.len()))
    }

    fn moved(&self, list: &List, offset: u64, items: &[Item]) -> Self {
        let last = &items[items.len().saturating_sub(TAIL_MAX)..];
        let new = last.iter().map(|item| Seen(item.id.clone(), list.order.key(item)));
        let mut tail: Vec<Seen> = self.tail.iter().cloned().chain(new).collect();
        tail.drain(..tail.len().saturating_sub(TAIL_MAX));
        Self { offset, tail, ..self.clone() }
    }

    fn next_part(&self, list: &List) -> Option<Self> {
        let part = self.part + 1;
        (part < list.parts.len()).then(|| Self::start(&self.list, self.parent.as_deref(), part))
    }
}

/// How far further back a page begins than the one before, when objects may have been passed over.
pub(crate) fn further_back(page_size: u16, back: u64) -> u64 {
    if back == 0 { u64::from(page_size) - overlap(page_size) } else { back.saturating_mul(2) }
}

/// How many objects of the page before a page begins with.
fn overlap(page_size: u16) -> u64 {
    (TAIL_MAX as u64).min(u64::from(page_size) / 2)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use rand::rngs::StdRng;
    use rand::{Rng, SeedableRng};

    use super::*;
    use crate::lists;
    use crate::order::Order;

    /// An object with its number as id; several share a time.
    fn item(number: usize) -> Item {
        let json = format!(r#"{{"id":"{number}","created_at":{}}}"#, number / 4);
        Item::parse(json.as_bytes()).unwrap()
    }

    /// What a server answers of these objects, the newest of which have the greatest numbers.
    fn listing(list: &List, objects: &BTreeSet<usize>, page_size: u16, start: &Start) -> Listing {
        let offset = match start {
            Start::Beginning => 0,
            Start::Offset(offset) => usize::try_from(*offset).unwrap(),
            Start::After(_) => unreachable!("lists with offsets only"),
        };
        let mut ordered: Vec<usize> = objects.iter().copied().collect();
        if list.order != Order::OldestFirst {
            ordered.reverse();
        }
        let page = ordered.into_iter().skip(offset).take(page_size.into());
        Listing { items: page.map(item).collect(), total_count: Some(objects.len() as u64) }
    }

    /// Walks a list that changes before each page; the objects read.
    fn walked(
        list: &List,
        objects: &mut BTreeSet<usize>,
        page_size: u16,
        rng: &mut StdRng,
    ) -> BTreeSet<usize> {
        let (mut cursor, mut back) = (Some(Cursor::start(list.name, None, 0)), 0);
        let mut next_number = objects.last().map_or(0, |last| last + 1);
        let (mut found, mut pages) = (BTreeSet::new(), 0);
        while let Some(position) = &cursor {
            // Mostly a few objects are deleted, now and then very many.
            let share = *[0.0, 0.01, 0.3, 0.9].get(rng.random_range(0..12)).unwrap_or(&0.002);
            objects.retain(|_| !rng.random_bool(share));
            let created = rng.random_range(0..=usize::from(page_size) / 3);
            objects.extend(next_number..next_number + created);
            next_number += created;
            pages += 1;
            assert!(pages < 20_000, "the walk does not end");
            let start = position.page_start(list, page_size, back);
            let page = listing(list, objects, page_size, &start);
            match position.step(list, page_size, &start, page) {
                Step::Back => back = further_back(page_size, back),
                Step::Forward { items, next } => {
                    found.extend(items.iter().map(|item| item.id.parse::<usize>().unwrap()));
                    (cursor, back) = (next, 0);
                }
                Step::Lost(_) => unreachable!("lists with offsets only"),
            }
        }
        found
    }

    #[test]
    fn whatever_changes_meanwhile_nothing_that_stays_is_passed_over() {
        for seed in 0..500 {
            for list in [&lists::ORGANIZATIONS, &lists::STATEMENTS] {
                let mut rng = StdRng::seed_from_u64(seed);
                let page_size = [2, 3, 10, 25, 100, 500][rng.random_range(0..6)];
                let before: BTreeSet<usize> = (0..rng.random_range(0..1_000)).collect();
                let mut objects = before.clone();
                let found = walked(list, &mut objects, page_size, &mut rng);
                let kept = before.intersection(&objects);
                let missing: Vec<_> = kept.filter(|number| !found.contains(number)).collect();
                let name = list.name;
                assert!(missing.is_empty(), "seed {seed}, {name}, {page_size}: {missing:?}");
            }
        }
    }
}
