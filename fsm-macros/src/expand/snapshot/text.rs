use proc_macro2::{Delimiter, Group, Spacing, TokenStream, TokenTree};

/// The impls and the module of a machine.
pub(super) fn expansion(args: &str, item: &str) -> String {
    let mut text = String::new();
    let tokens = crate::attribute(args.parse().unwrap(), item.parse().unwrap());
    print(tokens, 0, &mut text);
    for (wide, narrow) in
        [(" :: ", "::"), (":: ", "::"), ("& mut", "&mut"), (" ,", ","), ("=::", "= ::")]
    {
        text = text.replace(wide, narrow);
    }
    text.lines().map(|line| line.trim_end().to_owned() + "\n").collect()
}

/// One line for a statement, an arm, a field or an attribute; what is long is indented.
fn print(tokens: TokenStream, depth: usize, text: &mut String) {
    let mut fresh = true;
    let mut joint = false;
    let mut before = ' ';
    for token in tokens {
        let mark = match &token {
            TokenTree::Punct(mark) => mark.as_char(),
            _ => ' ',
        };
        let ends = matches!(mark, ',' | ';');
        if fresh && ends {
            text.truncate(text.trim_end().len());
        } else if fresh {
            text.push_str(&"    ".repeat(depth));
        } else if !joint && !ends {
            text.push(' ');
        }
        (fresh, joint) = (ends, mark == '#');
        match token {
            TokenTree::Group(group) if is_long(&group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Brace => ("{\n", "}"),
                    Delimiter::Bracket => ("[\n", "]"),
                    _ => ("(\n", ")"),
                };
                text.push_str(open);
                print(group.stream(), depth + 1, text);
                text.push_str(&"    ".repeat(depth));
                text.push_str(close);
                fresh = group.delimiter() == Delimiter::Brace;
            }
            TokenTree::Punct(mark) => {
                text.push(mark.as_char());
                joint |= mark.spacing() == Spacing::Joint;
            }
            other => text.push_str(&other.to_string()),
        }
        fresh |= before == '#';
        before = mark;
        if fresh {
            text.push('\n');
        }
    }
    if !fresh {
        text.push('\n');
    }
}

fn is_long(group: &Group) -> bool {
    let text = group.to_string();
    match group.delimiter() {
        Delimiter::Brace => text.len() > 60 || text.contains([';', '=']),
        _ => text.len() > 80 && text.contains('{'),
    }
}

/// Compares with the file in `snapshots`, or writes it where `BLESS` is set.
pub(super) fn check(name: &str, args: &str, item: &str) {
    let found = expansion(args, item);
    let path = format!("{}/src/expand/snapshots/{name}.txt", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, &found).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    for (line, (found, expected)) in found.lines().zip(expected.lines()).enumerate() {
        assert_eq!(found, expected, "{name}.txt:{}; BLESS=1 accepts all that is new", line + 1);
    }
    assert_eq!(found.lines().count(), expected.lines().count(), "{name}.txt");
}
