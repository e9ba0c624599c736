//! Whether a component fits this host, and the report when it does not: never a bare linker error.

use std::fmt;

use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, Linker};

use crate::attempt::Guest;
use crate::error::Error;
use crate::host::{PACKAGES, PluginFailure, RunnerPre};

/// What every plugin exports, and the function in it.
const ACTIONS: &str = "quantum:plugin/actions@1.0.0";
const RUN: &str = "run";
type RunParameters = (String, String);
type RunResults = (Result<String, PluginFailure>,);

/// The three ways in which a component does not fit, each line for people.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FitReport {
    /// Imports that this host does not provide.
    pub imports_missing: Vec<String>,
    /// Exports that this host calls and that the component does not have.
    pub exports_missing: Vec<String>,
    /// Imports and exports of known names with other types.
    pub types_different: Vec<String>,
}

impl fmt::Display for FitReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [
            ("imports that this host does not provide", &self.imports_missing),
            ("exports that are missing", &self.exports_missing),
            ("types that differ", &self.types_different),
        ];
        let mut first = true;
        for (title, lines) in parts.into_iter().filter(|(_, lines)| !lines.is_empty()) {
            write!(f, "{}{title}:", if first { "" } else { "\n" })?;
            lines.iter().try_for_each(|line| write!(f, "\n  {line}"))?;
            first = false;
        }
        Ok(())
    }
}

/// Links the component, or says all that keeps it from fitting.
pub(crate) fn link(linker: &Linker<Guest>, component: &Component) -> Result<RunnerPre<Guest>, Error> {
    let linked = linker.instantiate_pre(component).and_then(RunnerPre::new);
    let linked = linked.and_then(|linked| match different_export(component) {
        None => Ok(linked),
        Some(line) => Err(wasmtime::Error::msg(line)),
    });
    linked.map_err(|error| Error::DoesNotFit(report(linker, component, &error)))
}

/// One function or resource that a component imports.
struct Import {
    /// As the component writes it.
    interface: String,
    /// As this host would provide it; none when it provides no version of the package that could do.
    provided_as: Option<String>,
    item: String,
    is_function: bool,
}

fn report(linker: &Linker<Guest>, component: &Component, error: &wasmtime::Error) -> FitReport {
    let imports = imports(linker, component);
    let mut report = FitReport {
        imports_missing: missing_lines(linker, &imports),
        exports_missing: missing_exports(linker, component),
        types_different: different_imports(linker, component, &imports),
    };
    report.types_different.extend(different_export(component));
    if report == FitReport::default() {
        report.types_different.push(format!("{error:#}"));
    }
    report
}

fn imports(linker: &Linker<Guest>, component: &Component) -> Vec<Import> {
    let engine = linker.engine();
    let mut all = Vec::new();
    for (name, import) in component.component_type().imports(engine) {
        let ComponentItem::ComponentInstance(interface) = import.ty else {
            all.push(Import {
                interface: String::new(),
                provided_as: None,
                item: name.to_owned(),
                is_function: false,
            });
            continue;
        };
        for (item, export) in interface.exports(engine) {
            let is_function = matches!(export.ty, ComponentItem::ComponentFunc(_));
            if is_function || matches!(export.ty, ComponentItem::Resource(_)) {
                let (interface, provided_as) = (name.to_owned(), host_name(name));
                all.push(Import { interface, provided_as, item: item.to_owned(), is_function });
            }
        }
    }
    all
}

/// `wasi:io/poll@0.2.3` → `wasi:io/poll@0.2.12`: the version under which this host has it, when the two are of one
/// track (the same major version; below 1.0 the same minor version).
fn host_name(interface: &str) -> Option<String> {
    let (path, version) = interface.split_once('@')?;
    let (package, _) = path.split_once('/')?;
    let (_, provided) = PACKAGES.iter().find(|(name, _)| *name == package)?;
    (track(version)? == track(provided)?).then(|| format!("{path}@{provided}"))
}

fn track(version: &str) -> Option<(&str, Option<&str>)> {
    if version.contains('-') {
        return None;
    }
    let mut numbers = version.split('.');
    let major = numbers.next()?;
    Some((major, if major == "0" { numbers.next() } else { None }))
}

impl Import {
    fn is_provided(&self, linker: &Linker<Guest>) -> bool {
        self.provided_as.as_deref().is_some_and(|name| defines(linker, name, &self.item))
    }
}

/// A linker cannot be asked, but it refuses to define a name twice.
fn defines(linker: &Linker<Guest>, interface: &str, item: &str) -> bool {
    let mut probe = linker.clone();
    let defined = probe.instance(interface).and_then(|mut i| i.func_new(item, |_, _, _, _| Ok(())));
    defined.is_err()
}

/// One line an interface: whole when nothing of it is provided, else with what is not.
fn missing_lines(linker: &Linker<Guest>, imports: &[Import]) -> Vec<String> {
    let mut lines = Vec::new();
    let mut rest = imports;
    while let Some(first) = rest.first() {
        let same = rest.iter().take_while(|import| import.interface == first.interface).count();
        let (interface, after) = rest.split_at(same);
        rest = after;
        let missing: Vec<&Import> = interface.iter().filter(|import| !import.is_provided(linker)).collect();
        let items: Vec<&str> = missing.iter().map(|import| import.item.as_str()).collect();
        match (missing.len(), first.interface.as_str()) {
            (0, _) => {}
            (_, "") => lines.extend(items.iter().map(|item| (*item).to_owned())),
            (n, name) if n == interface.len() => lines.push(name.to_owned()),
            (_, name) => lines.push(format!("{name}: {}", items.join(", "))),
        }
    }
    lines
}

fn missing_exports(linker: &Linker<Guest>, component: &Component) -> Vec<String> {
    let Some((_, actions)) = component.get_export(None, ACTIONS) else {
        let ty = component.component_type();
        let near = ty
            .exports(linker.engine())
            .map(|(name, _)| name)
            .find(|name| name.starts_with("quantum:plugin/"));
        let hint = near.map(|name| format!(" (it exports {name})")).unwrap_or_default();
        return vec![format!("{ACTIONS}{hint}")];
    };
    match component.get_export(Some(&actions), RUN) {
        Some(_) => Vec::new(),
        None => vec![format!("{ACTIONS}: {RUN}")],
    }
}

/// The bindings find the export by its name, and would look at its type in each instance only.
fn different_export(component: &Component) -> Option<String> {
    let (_, actions) = component.get_export(None, ACTIONS)?;
    let (item, _) = component.get_export(Some(&actions), RUN)?;
    let ty = component.component_type();
    let fits = match item {
        ComponentItem::ComponentFunc(run) => {
            run.typecheck::<RunParameters, RunResults>(&ty.instance_type()).is_ok()
        }
        _ => false,
    };
    (!fits).then(|| format!("{ACTIONS}: {RUN}"))
}

/// The linker stops at the first difference, so each function is held against the host alone: all others are
/// replaced by ones that take any type.
fn different_imports(linker: &Linker<Guest>, component: &Component, imports: &[Import]) -> Vec<String> {
    let functions: Vec<&Import> = imports.iter().filter(|i| i.is_function && i.is_provided(linker)).collect();
    let differs = |checked: &&&Import| link_only(linker, component, &functions, checked).is_err();
    functions.iter().filter(differs).map(|import| format!("{}: {}", import.interface, import.item)).collect()
}

fn link_only(
    linker: &Linker<Guest>,
    component: &Component,
    functions: &[&Import],
    checked: &Import,
) -> wasmtime::Result<()> {
    let mut probe = linker.clone();
    probe.define_unknown_imports_as_traps(component)?;
    probe.allow_shadowing(true);
    for other in functions.iter().filter(|other| !std::ptr::eq(**other, checked)) {
        let name = other.provided_as.as_deref().unwrap_or(&other.interface);
        probe.instance(name)?.func_new(&other.item, |_, _, _, _| Ok(()))?;
    }
    probe.instantiate_pre(component).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_linked_package_is_listed_with_its_version() {
        let engine = wasmtime::Engine::default();
        let linker = crate::host::linker(&engine).unwrap();
        let known = [
            ("quantum:artifacts/artifacts@1.0.0", "open"),
            ("quantum:context/context@1.0.0", "cancelled"),
            ("quantum:kv/kv@1.0.0", "compare-and-set"),
            ("quantum:log/log@1.0.0", "write"),
            ("quantum:secrets/reveal@1.0.0", "reveal"),
            ("wasi:cli/exit@0.2.12", "exit"),
            ("wasi:clocks/wall-clock@0.2.12", "now"),
            ("wasi:filesystem/preopens@0.2.12", "get-directories"),
            ("wasi:http/outgoing-handler@0.2.12", "handle"),
            ("wasi:io/poll@0.2.12", "poll"),
            ("wasi:random/random@0.2.12", "get-random-u64"),
            ("wasi:sockets/tcp-create-socket@0.2.12", "create-tcp-socket"),
        ];
        assert_eq!(PACKAGES.len(), known.len());
        for ((package, version), (interface, item)) in PACKAGES.iter().zip(known) {
            assert!(
                interface.starts_with(&format!("{package}/")) && interface.ends_with(version),
                "{interface}"
            );
            assert!(defines(&linker, interface, item), "{interface} {item}");
        }
        assert!(!defines(&linker, "wasi:io/poll@0.2.12", "nothing"));
    }

    #[test]
    fn versions_of_one_track_are_served() {
        assert_eq!(host_name("wasi:io/poll@0.2.0").as_deref(), Some("wasi:io/poll@0.2.12"));
        assert_eq!(host_name("quantum:log/log@1.4.0").as_deref(), Some("quantum:log/log@1.0.0"));
        for other in
            ["wasi:io/poll@0.3.0", "wasi:io/poll@0.2.0-rc", "quantum:kv/kv@2.0.0", "acme:queue/queue@1.0.0"]
        {
            assert_eq!(host_name(other), None, "{other}");
        }
    }
}
