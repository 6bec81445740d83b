use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

/// A change to the tokens of a machine, at a place modulo their number.
enum Edit {
    Insert(usize, usize),
    Replace(usize, usize),
    Delete(usize),
    Twice(usize),
    Swap(usize, usize),
    Copy { from: usize, to: usize, length: usize },
    Open(usize, usize),
    Close(usize),
}

/// A generator of the xorshift family; the seed names the input.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 32).unwrap() % end
    }

    fn edit(&mut self) -> Edit {
        const ANY: usize = 1 << 16;
        match self.below(8) {
            0 => Edit::Insert(self.below(ANY), self.below(ANY)),
            1 => Edit::Replace(self.below(ANY), self.below(ANY)),
            2 => Edit::Delete(self.below(ANY)),
            3 => Edit::Twice(self.below(ANY)),
            4 => Edit::Swap(self.below(ANY), self.below(ANY)),
            5 => Edit::Copy {
                from: self.below(ANY),
                to: self.below(ANY),
                length: 1 + self.below(40),
            },
            6 => Edit::Open(self.below(ANY), self.below(4)),
            _ => Edit::Close(self.below(ANY)),
        }
    }
}

/// Tokens without structure, so that edits can change that too.
#[derive(Clone)]
enum Token {
    Leaf(TokenTree),
    Open(Delimiter),
    Close,
}

fn flat(tokens: TokenStream, into: &mut Vec<Token>) {
    for token in tokens {
        match token {
            TokenTree::Group(group) => {
                into.push(Token::Open(group.delimiter()));
                flat(group.stream(), into);
                into.push(Token::Close);
            }
            leaf => into.push(Token::Leaf(leaf)),
        }
    }
}

/// The tokens as a tree, without closing tokens that close nothing; open groups are closed at the
/// end.
fn tree(tokens: &[Token]) -> TokenStream {
    let mut open: Vec<(Delimiter, Vec<TokenTree>)> = Vec::new();
    let mut top: Vec<TokenTree> = Vec::new();
    let close = |open: &mut Vec<(Delimiter, Vec<TokenTree>)>, top: &mut Vec<TokenTree>| {
        if let Some((delimiter, inside)) = open.pop() {
            let group = Group::new(delimiter, inside.into_iter().collect());
            open.last_mut().map_or(top, |(_, outside)| outside).push(group.into());
        }
    };
    for token in tokens {
        match token {
            Token::Leaf(leaf) => {
                open.last_mut().map_or(&mut top, |(_, inside)| inside).push(leaf.clone());
            }
            Token::Open(delimiter) => open.push((*delimiter, Vec::new())),
            Token::Close => close(&mut open, &mut top),
        }
    }
    while !open.is_empty() {
        close(&mut open, &mut top);
    }
    top.into_iter().collect()
}

impl Edit {
    fn apply(self, tokens: &mut Vec<Token>, words: &[&str]) {
        if tokens.is_empty() {
            return;
        }
        let count = tokens.len();
        let at = |place: usize| place % count;
        let word = |word: usize| {
            let mut tokens = Vec::new();
            flat(words[word % words.len()].parse().unwrap(), &mut tokens);
            tokens
        };
        match self {
            Self::Insert(place, new) => drop(tokens.splice(at(place)..at(place), word(new))),
            Self::Replace(place, new) => drop(tokens.splice(at(place)..=at(place), word(new))),
            Self::Delete(place) => drop(tokens.remove(at(place))),
            Self::Twice(place) => tokens.insert(at(place), tokens[at(place)].clone()),
            Self::Swap(one, other) => tokens.swap(at(one), at(other)),
            Self::Copy { from, to, length } => {
                let end = (at(from) + length).min(count);
                let copied = tokens[at(from)..end].to_vec();
                drop(tokens.splice(at(to)..at(to), copied));
            }
            Self::Open(place, kind) => {
                let kinds =
                    [Delimiter::Parenthesis, Delimiter::Brace, Delimiter::Bracket, Delimiter::None];
                tokens.insert(at(place), Token::Open(kinds[kind % kinds.len()]));
            }
            Self::Close(place) => tokens.insert(at(place), Token::Close),
        }
    }
}

/// The arguments and the item of one of these after some edits, most of them of the item.
pub(super) fn edited(
    seed: u64,
    known: &[(&str, &str)],
    words: &[&str],
) -> (TokenStream, TokenStream) {
    let mut random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    let (args, item) = known[random.below(known.len())];
    let [mut args, mut item] = [args, item].map(|text| {
        let mut tokens = Vec::new();
        flat(text.parse().unwrap(), &mut tokens);
        tokens
    });
    for _ in 0..=random.below(6) {
        let edit = random.edit();
        edit.apply(if random.below(4) == 0 { &mut args } else { &mut item }, words);
    }
    (tree(&args), tree(&item))
}
