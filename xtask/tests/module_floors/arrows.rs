//! The arrows of a crate: which file names what another one defines.

use std::collections::BTreeSet;

use super::modules::{Module, Path};

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Arrow {
    pub(crate) from: Place,
    pub(crate) to: Place,
    pub(crate) line: usize,
    /// As it is written there.
    pub(crate) name: String,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) module: Path,
    pub(crate) file: String,
}

/// What a path leads to, by the number of the module.
#[derive(Debug, Clone, Copy)]
enum Found {
    Module(usize),
    Item(usize),
}

pub(crate) fn arrows(modules: &[Module]) -> Vec<Arrow> {
    let names = Names { modules };
    let mut arrows = Vec::new();
    for (at, module) in modules.iter().enumerate() {
        for (path, line) in &module.mentions {
            let to = match names.resolve(at, path, &mut BTreeSet::new()) {
                Some(Found::Item(to)) => to,
                Some(Found::Module(to)) if module.globs.contains(path) => to,
                // A module's name alone says nothing of what is used of it.
                _ => continue,
            };
            arrows.push(Arrow {
                from: place(module),
                to: place(&modules[to]),
                line: *line,
                name: path.join("::"),
            });
        }
    }
    arrows
}

fn place(module: &Module) -> Place {
    Place { module: module.path.clone(), file: module.file.clone() }
}

struct Names<'a> {
    modules: &'a [Module],
}

/// The names that are being looked up, so that a loop of globs ends.
type Seen = BTreeSet<(usize, Path)>;

impl Names<'_> {
    fn resolve(&self, at: usize, path: &[String], seen: &mut Seen) -> Option<Found> {
        let (first, rest) = path.split_first()?;
        match first.as_str() {
            "crate" => self.lookup(self.numbered(&[])?, rest, seen),
            "self" => self.lookup(at, rest, seen),
            "super" => {
                let (_, parent) = self.modules[at].path.split_last()?;
                let parent = self.numbered(parent)?;
                if rest.first().is_some_and(|next| next == "super") {
                    return self.resolve(parent, rest, seen);
                }
                self.lookup(parent, rest, seen)
            }
            _ => self.in_scope(at, path, seen).or_else(|| self.textual_macro(path)),
        }
    }

    /// A path below a module. A name that is not found there is made by a macro of it.
    fn lookup(&self, module: usize, path: &[String], seen: &mut Seen) -> Option<Found> {
        if path.is_empty() {
            return Some(Found::Module(module));
        }
        Some(self.in_scope(module, path, seen).unwrap_or(Found::Item(module)))
    }

    fn in_scope(&self, at: usize, path: &[String], seen: &mut Seen) -> Option<Found> {
        if !seen.insert((at, path.to_vec())) {
            return None;
        }
        let module = &self.modules[at];
        let (first, rest) = path.split_first()?;
        let defined = module.items.contains(first) || module.macros.contains(first);
        if module.children.contains(first) && !(rest.is_empty() && defined) {
            let child: Path = module.path.iter().cloned().chain([first.clone()]).collect();
            return self.lookup(self.numbered(&child)?, rest, seen);
        }
        if defined {
            return Some(Found::Item(at));
        }
        let imports = module.imports.get(first).into_iter().flatten();
        // `use a::a;` is of another crate: a child `a` was found above.
        let mut imported = imports.filter(|import| import.first() != Some(first));
        let resolved = |import: &Path| self.resolve(at, &[import.as_slice(), rest].concat(), seen);
        if let Some(found) = imported.find_map(resolved) {
            return Some(found);
        }
        module.globs.iter().find_map(|glob| match self.resolve(at, glob, seen) {
            Some(Found::Module(to)) => self.in_scope(to, path, seen),
            _ => None,
        })
    }

    /// `macro_rules!` without a path is seen by what comes after it.
    fn textual_macro(&self, path: &[String]) -> Option<Found> {
        let [name] = path else { return None };
        self.modules.iter().position(|module| module.macros.contains(name)).map(Found::Item)
    }

    fn numbered(&self, path: &[String]) -> Option<usize> {
        self.modules.iter().position(|module| module.path == path)
    }
}
