//! Types and functions as WIT writes them, on one line where there is nothing to say about their parts.

use wit_parser::{Docs, Function, FunctionKind, Handle, Resolve, Type, TypeDef, TypeDefKind, TypeId};

/// `NAME: func(…) -> …`
pub fn function(resolve: &Resolve, function: &Function) -> String {
    // The first parameter of a method is the resource itself.
    let method = matches!(function.kind, FunctionKind::Method(_) | FunctionKind::AsyncMethod(_));
    let parameters = function.params.iter().skip(usize::from(method));
    let parameters = parameters.map(|one| format!("{}: {}", one.name, name(resolve, &one.ty)));
    let result = function.result.as_ref().map(|ty| format!(" -> {}", name(resolve, ty))).unwrap_or_default();
    let parameters = parameters.collect::<Vec<_>>().join(", ");
    format!("{}: func({parameters}){result}", function.item_name())
}

/// A definition with its name, and with the comments of its parts.
pub fn definition(resolve: &Resolve, def: &TypeDef) -> String {
    let own = def.name.as_deref().unwrap_or_default();
    match &def.kind {
        TypeDefKind::Record(record) => {
            let part = |ty| name(resolve, ty);
            let parts = record.fields.iter().map(|f| (format!("{}: {}", f.name, part(&f.ty)), &f.docs));
            block(&format!("record {own}"), parts)
        }
        TypeDefKind::Variant(variant) => {
            let payload = |ty: &Type| format!("({})", name(resolve, ty));
            let parts = variant.cases.iter().map(|case| {
                (format!("{}{}", case.name, case.ty.as_ref().map(payload).unwrap_or_default()), &case.docs)
            });
            block(&format!("variant {own}"), parts)
        }
        TypeDefKind::Enum(cases) => {
            block(&format!("enum {own}"), cases.cases.iter().map(|case| (case.name.clone(), &case.docs)))
        }
        TypeDefKind::Flags(flags) => {
            block(&format!("flags {own}"), flags.flags.iter().map(|flag| (flag.name.clone(), &flag.docs)))
        }
        TypeDefKind::Resource => format!("resource {own}"),
        kind => format!("type {own} = {}", kind_name(resolve, kind)),
    }
}

fn block<'a>(head: &str, parts: impl Iterator<Item = (String, &'a Docs)>) -> String {
    let mut text = format!("{head} {{\n");
    for (part, docs) in parts {
        for line in docs.contents.iter().flat_map(|docs| docs.trim().lines()) {
            text.push_str(&format!("  /// {line}\n"));
        }
        text.push_str(&format!("  {part},\n"));
    }
    text + "}"
}

fn name(resolve: &Resolve, ty: &Type) -> String {
    match ty {
        Type::Id(id) => id_name(resolve, *id),
        Type::Bool => "bool".to_owned(),
        Type::Char => "char".to_owned(),
        Type::String => "string".to_owned(),
        Type::ErrorContext => "error-context".to_owned(),
        number => format!("{number:?}").to_lowercase(),
    }
}

fn id_name(resolve: &Resolve, id: TypeId) -> String {
    match resolve.types.get(id) {
        Some(TypeDef { name: Some(name), .. }) => name.clone(),
        Some(def) => kind_name(resolve, &def.kind),
        None => String::new(),
    }
}

fn kind_name(resolve: &Resolve, kind: &TypeDefKind) -> String {
    let of = |ty: &Type| name(resolve, ty);
    let or_none = |ty: &Option<Type>| ty.as_ref().map_or_else(|| "_".to_owned(), of);
    match kind {
        TypeDefKind::Option(ty) => format!("option<{}>", of(ty)),
        TypeDefKind::List(ty) => format!("list<{}>", of(ty)),
        TypeDefKind::Tuple(tuple) => {
            format!("tuple<{}>", tuple.types.iter().map(of).collect::<Vec<_>>().join(", "))
        }
        TypeDefKind::Result(result) => match (&result.ok, &result.err) {
            (None, None) => "result".to_owned(),
            (ok, None) => format!("result<{}>", or_none(ok)),
            (ok, err) => format!("result<{}, {}>", or_none(ok), or_none(err)),
        },
        TypeDefKind::Handle(Handle::Own(id)) => id_name(resolve, *id),
        TypeDefKind::Handle(Handle::Borrow(id)) => format!("borrow<{}>", id_name(resolve, *id)),
        TypeDefKind::Type(ty) => of(ty),
        other => other.as_str().to_owned(),
    }
}
