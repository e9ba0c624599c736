//! The function below `#[action]`, and what is written beside it.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{
    Attribute as SynAttribute, Error, Expr, ExprLit, FnArg, GenericArgument, Ident, ItemFn, Lit, LitInt,
    LitStr, Meta, PathArguments, Result, ReturnType, Signature, Type,
};

use crate::attribute::{Attribute, kebab};
use crate::secret::Secret;

const SHAPE: &str = "an action is `fn name(ctx: &Context, parameters: Type) -> Result<Type>`";

pub fn expand(attribute: &Attribute, function: &ItemFn) -> Result<TokenStream> {
    let (parameters, output) = types(function)?;
    let (ident, vis) = (&function.sig.ident, &function.vis);
    let meta = meta(attribute, function)?;
    Ok(quote! {
        #[doc(hidden)]
        #[expect(non_camel_case_types, reason = "it has the function's name")]
        #vis struct #ident {}

        impl ::quantum_sdk::__private::Action for #ident {
            const META: ::quantum_sdk::__private::ActionMeta = #meta;
            type Parameters = #parameters;
            type Output = #output;

            fn call(
                ctx: &::quantum_sdk::Context,
                parameters: Self::Parameters,
            ) -> ::quantum_sdk::Result<Self::Output> {
                #ident(ctx, parameters)
            }
        }
    })
}

fn meta(attribute: &Attribute, function: &ItemFn) -> Result<TokenStream> {
    let Attribute { aliases, idempotent, at_most_once, reversible, dry_run, .. } = attribute;
    let capabilities = capabilities(attribute);
    let name = match &attribute.name {
        Some(name) => name.clone(),
        None => kebab(default_name(&function.sig.ident))?,
    };
    let description = description(&function.attrs);
    let title = attribute.title.as_ref().map_or_else(|| first_sentence(&description), LitStr::value);
    let side_effects = !attribute.no_side_effects;
    Ok(quote! {
        ::quantum_sdk::__private::ActionMeta {
            name: #name,
            title: #title,
            description: #description,
            aliases: &[#(#aliases),*],
            idempotent: #idempotent,
            at_most_once: #at_most_once,
            side_effects: #side_effects,
            reversible: #reversible,
            dry_run: #dry_run,
            #capabilities
        }
    })
}

fn capabilities(attribute: &Attribute) -> TokenStream {
    let Attribute { http_hosts, http_slots, kv, artifacts, reveal, clock, random, .. } = attribute;
    let response_bytes_max = option(attribute.response_bytes_max.as_ref());
    let memory_bytes_max = option(attribute.memory_bytes_max.as_ref());
    let secrets = attribute.secrets.iter().map(|Secret { name, places }| {
        quote!(::quantum_sdk::__private::SecretMeta { name: #name, places: &[#(#places),*] })
    });
    quote! {
        http_hosts: &[#(#http_hosts),*],
        http_slots: &[#(#http_slots),*],
        response_bytes_max: #response_bytes_max,
        kv: #kv,
        artifacts: #artifacts,
        secrets: &[#(#secrets),*],
        reveal: &[#(#reveal),*],
        clock: #clock,
        random: #random,
        memory_bytes_max: #memory_bytes_max,
    }
}

fn option(value: Option<&LitInt>) -> TokenStream {
    match value {
        Some(value) => quote!(::core::option::Option::Some(#value)),
        None => quote!(::core::option::Option::None),
    }
}

fn default_name(ident: &Ident) -> LitStr {
    LitStr::new(&ident.to_string().replace('_', "-"), ident.span())
}

/// The types of the second argument and inside `Result<…>`.
fn types(function: &ItemFn) -> Result<(&Type, &Type)> {
    let signature = &function.sig;
    plain(signature)?;
    let arguments: Vec<_> = signature.inputs.iter().collect();
    let parameters = match arguments.as_slice() {
        [FnArg::Typed(context)] | [FnArg::Typed(context), _]
            if !matches!(*context.ty, Type::Reference(_)) =>
        {
            return Err(odd(context, "its first argument is `ctx: &Context`"));
        }
        [FnArg::Typed(_), FnArg::Typed(parameters)] => &parameters.ty,
        [_, _, further, ..] => return Err(odd(further, "it has no further arguments")),
        [] => return Err(odd(&signature.ident, "its first argument is `ctx: &Context`")),
        _ => return Err(odd(&signature.inputs, "its second argument is the type of its parameters")),
    };
    let output = result_type(&signature.output);
    let output = output.ok_or_else(|| match &signature.output {
        ReturnType::Default => odd(&signature.ident, "it returns `Result<Type>`"),
        ReturnType::Type(_, ty) => odd(ty, "it returns `Result<Type>`"),
    })?;
    Ok((parameters, output))
}

fn plain(signature: &Signature) -> Result<()> {
    if let Some(word) = &signature.asyncness {
        return Err(odd(word, "it is not async: calls of the host wait for their answers"));
    }
    if !signature.generics.params.is_empty() {
        return Err(odd(&signature.generics, "it has no type parameters and no lifetimes"));
    }
    match signature.receiver() {
        Some(receiver) => Err(odd(receiver, "it is a function and no method")),
        None => Ok(()),
    }
}

/// An error at the part of the signature that it is about.
fn odd(part: &impl ToTokens, reason: &str) -> Error {
    Error::new_spanned(part, format!("{reason}; {SHAPE}"))
}

/// What stands first in the angle brackets of a type called `Result`.
fn result_type(output: &ReturnType) -> Option<&Type> {
    let ReturnType::Type(_, ty) = output else { return None };
    let Type::Path(path) = ty.as_ref() else { return None };
    let last = path.path.segments.last().filter(|segment| segment.ident == "Result")?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
    match arguments.args.first()? {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    }
}

/// The doc comment, one line a paragraph.
fn description(attributes: &[SynAttribute]) -> String {
    let lines = attributes.iter().filter_map(doc_line);
    let mut text = String::new();
    for line in lines {
        let line = line.trim();
        match (line.is_empty(), text.is_empty() || text.ends_with('\n')) {
            (true, true) => {}
            (true, false) => text.push('\n'),
            (false, true) => text.push_str(line),
            (false, false) => {
                text.push(' ');
                text.push_str(line);
            }
        }
    }
    text.trim_end().to_owned()
}

fn doc_line(attribute: &SynAttribute) -> Option<String> {
    let Meta::NameValue(pair) = &attribute.meta else { return None };
    match &pair.value {
        Expr::Lit(ExprLit { lit: Lit::Str(line), .. }) if pair.path.is_ident("doc") => Some(line.value()),
        _ => None,
    }
}

fn first_sentence(description: &str) -> String {
    let line = description.lines().next().unwrap_or_default();
    line.split_once(". ").map_or(line, |(first, _)| first).trim_end_matches('.').to_owned()
}
