//! The page: a part for each package of the contract, and in it each interface with its types and functions.

use wit_parser::{Docs, Function, Interface, Package, Resolve, World, WorldItem, WorldKey};

use super::text;

const NAMESPACE: &str = "quantum";
/// What every plugin begins with; the others follow by their names.
const FIRST: &str = "plugin";

const OPENING: &str = "# The contract in WIT\n\n\
    <!-- Made from wit/ by cargo xtask codegen. Change the comments there, and run it again. -->\n\n\
    What a plugin exports, and all that it may import of ours. This page is made from [wit/](../wit/README.md), which also\n\
    has the rules by which it changes. Authors rarely need it: the SDKs have the same in the words of their languages, as\n\
    [Capabilities](capabilities/README.md) says. A plugin in another language is built against the folder itself, and packed\n\
    by [`quantum plugin pack`](plugin-author.md#other-languages).\n";

pub fn page(resolve: &Resolve) -> String {
    let ours = resolve.packages.iter().map(|(_, package)| package);
    let mut ours: Vec<&Package> = ours.filter(|package| package.name.namespace == NAMESPACE).collect();
    ours.sort_by_key(|package| (package.name.name != FIRST, package.name.name.clone()));
    let mut page = OPENING.to_owned();
    for package in ours {
        page.push_str(&format!("\n## `{}`\n", package.name));
        let interfaces = package.interfaces.values().filter_map(|id| resolve.interfaces.get(*id));
        interfaces.for_each(|interface| page.push_str(&part(resolve, interface)));
        let worlds = package.worlds.values().filter_map(|id| resolve.worlds.get(*id));
        worlds.for_each(|one| page.push_str(&world(resolve, one)));
    }
    page
}

fn part(resolve: &Resolve, interface: &Interface) -> String {
    let name = interface.name.as_deref().unwrap_or_default();
    let mut text = format!("\n### interface `{name}`\n{}", words(&interface.docs));
    let free = |function: &&Function| function.kind.resource().is_none();
    for id in interface.types.values() {
        let Some(def) = resolve.types.get(*id) else { continue };
        text.push_str(&item(&text::definition(resolve, def), &def.docs));
        let methods = interface.functions.values().filter(|one| one.kind.resource() == Some(*id));
        methods.for_each(|method| {
            let own = def.name.as_deref().unwrap_or_default();
            let line = format!("{own}.{}", text::function(resolve, method));
            text.push_str(&item(&line, &method.docs));
        });
    }
    for function in interface.functions.values().filter(free) {
        text.push_str(&item(&text::function(resolve, function), &function.docs));
    }
    text
}

fn item(wit: &str, docs: &Docs) -> String {
    format!("\n```wit\n{wit}\n```\n{}", words(docs))
}

/// The comment as a paragraph; the code in it is quoted already.
fn words(docs: &Docs) -> String {
    docs.contents.as_ref().map(|text| format!("\n{}\n", text.trim())).unwrap_or_default()
}

fn world(resolve: &Resolve, world: &World) -> String {
    let list = |items: Vec<String>| items.iter().map(|item| format!("\n- {item}")).collect::<String>();
    let name = |(key, item): (&WorldKey, &WorldItem)| match (key, item) {
        (WorldKey::Interface(id), _) => resolve.id_of(*id).map(|id| format!("`{id}`")),
        (WorldKey::Name(name), WorldItem::Type { .. }) => Some(format!("the type `{name}`")),
        (WorldKey::Name(name), _) => Some(format!("`{name}`")),
    };
    let mut text = format!("\n### world `{}`\n{}", world.name, words(&world.docs));
    for (title, items) in [("Imports", &world.imports), ("Exports", &world.exports)] {
        let names: Vec<_> = items.iter().filter_map(name).collect();
        if !names.is_empty() {
            text.push_str(&format!("\n{title}:\n{}\n", list(names)));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_a_type_and_every_comment_is_on_the_page() {
        let mut resolve = Resolve::default();
        let text = "package quantum:sample@1.2.0;\n\n/// Of things.\ninterface things {\n\
            /// One.\nrecord one { /// Its name.\n name: string, many: list<option<u64>> }\n\
            variant kind { plain, /// With two.\n pair(tuple<one, u8>) }\nenum level { low, high }\n\
            resource handle { /// Reads.\n read: func(max: u32) -> result<list<u8>, one>; }\n\
            /// Opens.\nopen: func(name: string) -> result<handle, kind>;\ndrop: func() -> result<_, one>;\n}\n\
            /// All.\nworld all { import things; }\n";
        resolve.push_str("sample.wit", text).unwrap();
        let page = page(&resolve);
        for part in [
            "\n## `quantum:sample@1.2.0`\n\n### interface `things`\n\nOf things.\n",
            "\n```wit\nrecord one {\n  /// Its name.\n  name: string,\n  many: list<option<u64>>,\n}\n```\n\nOne.\n",
            "variant kind {\n  plain,\n  /// With two.\n  pair(tuple<one, u8>),\n}",
            "enum level {\n  low,\n  high,\n}",
            "\n```wit\nresource handle\n```\n",
            "\n```wit\nhandle.read: func(max: u32) -> result<list<u8>, one>\n```\n\nReads.\n",
            "\n```wit\nopen: func(name: string) -> result<handle, kind>\n```\n\nOpens.\n",
            "drop: func() -> result<_, one>",
            "\n### world `all`\n\nAll.\n\nImports:\n\n- `quantum:sample/things@1.2.0`\n",
        ] {
            assert!(page.contains(part), "{part}\n{page}");
        }
    }
}
