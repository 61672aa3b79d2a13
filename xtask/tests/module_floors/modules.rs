//! Reads the modules of a crate: what each one defines, imports and names.

use std::collections::{BTreeMap, BTreeSet};

use super::tokens::{Token, tokens};

/// `["crate", "a", "Item"]`
pub(crate) type Path = Vec<String>;

#[derive(Debug, Default)]
pub(crate) struct Module {
    /// From the crate's root, which has no segments.
    pub(crate) path: Path,
    pub(crate) file: String,
    pub(crate) items: BTreeSet<String>,
    pub(crate) macros: BTreeSet<String>,
    pub(crate) children: BTreeSet<String>,
    /// What a name in scope stands for.
    pub(crate) imports: BTreeMap<String, Vec<Path>>,
    pub(crate) globs: Vec<Path>,
    /// Paths in `use` and in code, with their lines.
    pub(crate) mentions: Vec<(Path, usize)>,
}

/// Reads a crate from its root file. `read` answers with the text of a file of that name, where there is one.
pub(crate) fn modules(root: &str, read: &dyn Fn(&str) -> Option<String>) -> Vec<Module> {
    let mut reader = Reader { read, modules: Vec::new() };
    let folder = root.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned();
    reader.file(Path::new(), root, &folder);
    reader.modules
}

struct Reader<'a> {
    read: &'a dyn Fn(&str) -> Option<String>,
    modules: Vec<Module>,
}

impl Reader<'_> {
    /// `folder` is where the module's children lie.
    fn file(&mut self, path: Path, file: &str, folder: &str) {
        let source = (self.read)(file).unwrap_or_else(|| panic!("{file} is missing"));
        self.module(path, file, folder, &tokens(&source));
    }

    fn module(&mut self, path: Path, file: &str, folder: &str, tokens: &[Token]) {
        let mut module = Module { path, file: file.to_owned(), ..Module::default() };
        let mut scan = Scan { tokens, at: 0 };
        let mut depth = 0_usize;
        while let Some(token) = scan.next() {
            match token.text.as_str() {
                "#" => scan.attribute(depth),
                "pub" => scan.visibility(),
                "use" => module.import(&mut scan),
                "mod" => self.child(&mut module, folder, &mut scan),
                "{" | "(" | "[" => depth += 1,
                "}" | ")" | "]" => depth = depth.saturating_sub(1),
                "macro_rules" => {
                    module
                        .macros
                        .extend(scan.tokens.get(scan.at + 1).map(|name| name.text.clone()));
                }
                "fn" | "struct" | "enum" | "trait" | "type" | "const" | "static" if depth == 0 => {
                    module.items.extend(scan.peek().map(str::to_owned));
                }
                _ if token.is_word() => module.mention(&mut scan, token),
                _ => {}
            }
        }
        self.modules.push(module);
    }

    fn child(&mut self, parent: &mut Module, folder: &str, scan: &mut Scan<'_>) {
        let Some(name) = scan.next().filter(|name| name.is_word()) else { return };
        let name = name.text.clone();
        let path: Path = parent.path.iter().cloned().chain([name.clone()]).collect();
        let folder = format!("{folder}/{name}");
        parent.children.insert(name);
        if scan.peek() == Some("{") {
            let body = scan.block();
            self.module(path, &parent.file.clone(), &folder, body);
            return;
        }
        let files = [format!("{folder}.rs"), format!("{folder}/mod.rs")];
        let file = files.iter().find(|file| (self.read)(file).is_some());
        let file = file.unwrap_or_else(|| panic!("{} is missing", files[0]));
        self.file(path, file, &folder);
    }
}

impl Module {
    fn import(&mut self, scan: &mut Scan<'_>) {
        if scan.peek() == Some("::") {
            // From another crate, whatever it is called here.
            while scan.next().is_some_and(|token| token.text != ";") {}
            return;
        }
        self.import_tree(scan, &Path::new());
    }

    fn import_tree(&mut self, scan: &mut Scan<'_>, prefix: &[String]) {
        let mut path = prefix.to_vec();
        while let Some(token) = scan.next() {
            match token.text.as_str() {
                "::" => {}
                "{" => {
                    while scan.peek().is_some_and(|next| next != "}") {
                        self.import_tree(scan, &path);
                        if scan.peek() == Some(",") {
                            scan.next();
                        }
                    }
                    scan.next();
                    return;
                }
                "*" => {
                    self.mentions.push((path.clone(), token.line));
                    return self.globs.push(path);
                }
                "self" if !path.is_empty() => {}
                _ => path.push(token.text.clone()),
            }
            if let Some("," | "}" | ";" | "as") = scan.peek() {
                // `a::{self}` is the module `a` and no item of that name.
                return self.bind(scan, path, token.line, token.text == "self");
            }
        }
    }

    fn bind(&mut self, scan: &mut Scan<'_>, path: Path, line: usize, is_module: bool) {
        let mut name = path.last().cloned();
        if scan.peek() == Some("as") {
            scan.next();
            name = scan.next().map(|token| token.text.clone());
        }
        if !is_module {
            self.mentions.push((path.clone(), line));
        }
        self.imports.entry(name.unwrap_or_default()).or_default().push(path);
    }

    /// A path of two words or more, or a macro.
    fn mention(&mut self, scan: &mut Scan<'_>, first: &Token) {
        let after_path = scan.at > 1 && scan.tokens[scan.at - 2].text == "::";
        let mut path = vec![first.text.clone()];
        while scan.peek() == Some("::") && scan.tokens.get(scan.at + 1).is_some_and(Token::is_word)
        {
            path.push(scan.tokens[scan.at + 1].text.clone());
            scan.at += 2;
        }
        let is_macro = scan.peek() == Some("!");
        if (path.len() > 1 || is_macro) && !after_path {
            self.mentions.push((path, first.line));
        }
    }
}

struct Scan<'a> {
    tokens: &'a [Token],
    at: usize,
}

impl<'a> Scan<'a> {
    fn next(&mut self) -> Option<&'a Token> {
        self.at += 1;
        self.tokens.get(self.at - 1)
    }

    fn peek(&self) -> Option<&'a str> {
        self.tokens.get(self.at).map(|token| token.text.as_str())
    }

    /// What stands in the brackets that come next.
    fn block(&mut self) -> &'a [Token] {
        let start = (self.at + 1).min(self.tokens.len());
        let mut depth = 0_usize;
        while let Some(token) = self.next() {
            match token.text.as_str() {
                "{" | "(" | "[" => depth += 1,
                "}" | ")" | "]" => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                break;
            }
        }
        &self.tokens[start..(self.at - 1).max(start)]
    }

    /// Skips an attribute, and with `#[cfg(test)]` what it stands on.
    fn attribute(&mut self, depth: usize) {
        if self.peek() == Some("!") {
            self.next();
        }
        let words: Vec<_> = self.block().iter().map(|token| token.text.as_str()).collect();
        if words == ["cfg", "(", "test", ")"] || words == ["test"] {
            self.item(depth);
        }
    }

    fn item(&mut self, depth: usize) {
        while let Some(next) = self.peek() {
            match next {
                "{" => {
                    self.block();
                    return;
                }
                "(" | "[" => {
                    self.block();
                }
                "}" | ")" | "]" => return,
                "," if depth > 0 => return,
                _ => {
                    self.next();
                    if next == ";" {
                        return;
                    }
                }
            }
        }
    }

    /// `pub(crate)` and `pub(in crate::a)` name nothing that is used.
    fn visibility(&mut self) {
        let inside = self.tokens.get(self.at + 1).map(|token| token.text.as_str());
        if self.peek() == Some("(") && matches!(inside, Some("crate" | "super" | "self" | "in")) {
            self.block();
        }
    }
}
