//! Circles of files, and of the modules that lie beside each other.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;

use super::arrows::Arrow;

/// One circle, the shortest of those that its members are in.
#[derive(Debug)]
pub(crate) struct Circle {
    /// All that can be reached from each other: files, or modules.
    members: BTreeSet<String>,
    steps: Vec<Arrow>,
}

type Graph<'a> = BTreeMap<String, BTreeMap<String, &'a Arrow>>;

/// `folder` is where the modules of the crate lie: it begins the name of each.
pub(crate) fn circles(arrows: &[Arrow], folder: &str) -> Vec<Circle> {
    let mut found = in_graph(&files(arrows));
    let parents: BTreeSet<_> = arrows
        .iter()
        .flat_map(|arrow| (0..arrow.from.module.len()).map(|depth| &arrow.from.module[..depth]))
        .collect();
    for circle in parents.iter().flat_map(|parent| in_graph(&siblings(arrows, parent, folder))) {
        if found.iter().all(|known| known.steps != circle.steps) {
            found.push(circle);
        }
    }
    found
}

fn files(arrows: &[Arrow]) -> Graph<'_> {
    graph(arrows, |arrow| Some((arrow.from.file.clone(), arrow.to.file.clone())))
}

/// The children of one module, each with all that is below it.
fn siblings<'a>(arrows: &'a [Arrow], parent: &[String], folder: &str) -> Graph<'a> {
    let child = |module: &[String]| {
        module.strip_prefix(parent)?.first()?;
        Some(format!("{folder}/{}", module[..=parent.len()].join("/")))
    };
    graph(arrows, |arrow| Some((child(&arrow.from.module)?, child(&arrow.to.module)?)))
}

fn graph(arrows: &[Arrow], ends: impl Fn(&Arrow) -> Option<(String, String)>) -> Graph<'_> {
    let mut graph = Graph::new();
    for arrow in arrows {
        if let Some((from, to)) = ends(arrow).filter(|(from, to)| from != to) {
            graph.entry(from).or_default().entry(to).or_insert(arrow);
        }
    }
    graph
}

fn in_graph(graph: &Graph<'_>) -> Vec<Circle> {
    let reached: BTreeMap<_, _> = graph.keys().map(|node| (node, reached(graph, node))).collect();
    let mut circles = Vec::new();
    let mut done = BTreeSet::new();
    for node in graph.keys().filter(|node| reached[node].contains_key(*node)) {
        if done.contains(node) {
            continue;
        }
        let together =
            |other: &&String| reached.get(other).is_some_and(|back| back.contains_key(node));
        let members: BTreeSet<_> = reached[node].keys().filter(together).cloned().collect();
        done.extend(members.iter().cloned());
        let shortest = members.iter().map(|member| steps(&reached[member], member));
        let steps = shortest.min_by_key(Vec::len).unwrap_or_default();
        circles.push(Circle { members, steps });
    }
    circles
}

/// All that arrows lead to from a node, each with the last arrow of a shortest way and where that begins.
fn reached<'a>(graph: &Graph<'a>, start: &str) -> BTreeMap<String, (String, &'a Arrow)> {
    let mut reached = BTreeMap::new();
    let mut next = VecDeque::from([start.to_owned()]);
    while let Some(node) = next.pop_front() {
        for (to, arrow) in graph.get(&node).into_iter().flatten() {
            if !reached.contains_key(to) {
                reached.insert(to.clone(), (node.clone(), *arrow));
                next.push_back(to.clone());
            }
        }
    }
    reached
}

fn steps(reached: &BTreeMap<String, (String, &Arrow)>, start: &str) -> Vec<Arrow> {
    let mut steps = Vec::new();
    let mut node = start;
    loop {
        let (before, arrow) = &reached[node];
        steps.insert(0, (*arrow).clone());
        node = before;
        if node == start {
            return steps;
        }
    }
}

impl fmt::Display for Circle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let members: Vec<_> = self.members.iter().map(String::as_str).collect();
        write!(f, "{} import each other:", members.join(", "))?;
        for Arrow { from, to, line, name } in &self.steps {
            write!(f, "\n  {}:{line} names {name} of {}", from.file, to.file)?;
        }
        Ok(())
    }
}
