//! The one linker: everything that this host provides, for every component and tenant. Grants are in the store.

use wasmtime::Engine;
use wasmtime::component::{HasData, HasSelf, Linker, ResourceTable};
use wasmtime_wasi::WasiView;
use wasmtime_wasi::cli::{WasiCli, WasiCliView};
use wasmtime_wasi::filesystem::{WasiFilesystem, WasiFilesystemView};
use wasmtime_wasi::p2::bindings::{cli, clocks, filesystem, random, sockets};
use wasmtime_wasi::random::{WasiRandom, WasiRandomView};
use wasmtime_wasi::sockets::{WasiSockets, WasiSocketsView};

use super::bindings::{effects, quantum};
use crate::attempt::Guest;

/// The packages that are linked, in the versions under which they are. A test holds them to the linker.
pub(crate) const PACKAGES: &[(&str, &str)] = &[
    ("quantum:artifacts", "1.0.0"),
    ("quantum:context", "1.0.0"),
    ("quantum:kv", "1.0.0"),
    ("quantum:log", "1.0.0"),
    ("quantum:secrets", "1.0.0"),
    ("wasi:cli", "0.2.12"),
    ("wasi:clocks", "0.2.12"),
    ("wasi:filesystem", "0.2.12"),
    ("wasi:http", "0.2.12"),
    ("wasi:io", "0.2.12"),
    ("wasi:random", "0.2.12"),
    ("wasi:sockets", "0.2.12"),
];

pub(crate) fn linker(engine: &Engine) -> wasmtime::Result<Linker<Guest>> {
    let mut linker = Linker::new(engine);
    let l = &mut linker;
    quantum::context::context::add_to_linker::<_, HasSelf<Guest>>(l, Guest::called)?;
    quantum::log::log::add_to_linker::<_, HasSelf<Guest>>(l, Guest::called)?;
    add_effects(l)?;
    add_baseline(l)?;
    add_gated(l)?;
    add_refusing(l)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(l)?;
    Ok(linker)
}

/// Stored data and secrets: always linked, and checked at each call as well.
fn add_effects(l: &mut Linker<Guest>) -> wasmtime::Result<()> {
    use effects::quantum::{artifacts, kv, secrets};
    kv::kv::add_to_linker::<_, HasSelf<Guest>>(l, Guest::called)?;
    artifacts::artifacts::add_to_linker::<_, HasSelf<Guest>>(l, Guest::called)?;
    secrets::secrets::add_to_linker::<_, HasSelf<Guest>>(l, Guest::called)?;
    secrets::reveal::add_to_linker::<_, HasSelf<Guest>>(l, Guest::called)?;
    Ok(())
}

struct Io;

impl HasData for Io {
    type Data<'a> = &'a mut ResourceTable;
}

/// What the standard libraries import whether they are used or not. All of it is inert.
fn add_baseline(l: &mut Linker<Guest>) -> wasmtime::Result<()> {
    use wasmtime_wasi::p2::bindings::io;
    io::error::add_to_linker::<_, Io>(l, |guest| guest.ctx().table)?;
    io::poll::add_to_linker::<_, Io>(l, |guest| guest.ctx().table)?;
    io::streams::add_to_linker::<_, Io>(l, |guest| guest.ctx().table)?;
    cli::exit::add_to_linker::<_, WasiCli>(l, Guest::cli)?;
    cli::environment::add_to_linker::<_, WasiCli>(l, Guest::cli)?;
    cli::stdin::add_to_linker::<_, WasiCli>(l, Guest::cli)?;
    cli::stdout::add_to_linker::<_, WasiCli>(l, Guest::cli)?;
    cli::stderr::add_to_linker::<_, WasiCli>(l, Guest::cli)?;
    cli::terminal_input::add_to_linker::<_, WasiCli>(l, Guest::cli)?;
    cli::terminal_output::add_to_linker::<_, WasiCli>(l, Guest::cli)?;
    cli::terminal_stdin::add_to_linker::<_, WasiCli>(l, Guest::cli)?;
    cli::terminal_stdout::add_to_linker::<_, WasiCli>(l, Guest::cli)?;
    cli::terminal_stderr::add_to_linker::<_, WasiCli>(l, Guest::cli)?;
    random::insecure_seed::add_to_linker::<_, WasiRandom>(l, Guest::random)?;
    Ok(())
}

/// Capabilities that are checked at each call.
fn add_gated(l: &mut Linker<Guest>) -> wasmtime::Result<()> {
    clocks::wall_clock::add_to_linker::<_, HasSelf<Guest>>(l, |guest| guest)?;
    clocks::monotonic_clock::add_to_linker::<_, HasSelf<Guest>>(l, |guest| guest)?;
    random::random::add_to_linker::<_, HasSelf<Guest>>(l, |guest| guest)?;
    random::insecure::add_to_linker::<_, HasSelf<Guest>>(l, |guest| guest)?;
    Ok(())
}

/// Files and sockets: linked because Python imports them unused. There is no directory, and every address is refused.
fn add_refusing(l: &mut Linker<Guest>) -> wasmtime::Result<()> {
    filesystem::preopens::add_to_linker::<_, WasiFilesystem>(l, Guest::filesystem)?;
    filesystem::types::add_to_linker::<_, WasiFilesystem>(l, Guest::filesystem)?;
    let options = sockets::network::LinkOptions::default();
    sockets::network::add_to_linker::<_, WasiSockets>(l, &options, Guest::sockets)?;
    sockets::instance_network::add_to_linker::<_, WasiSockets>(l, Guest::sockets)?;
    sockets::ip_name_lookup::add_to_linker::<_, WasiSockets>(l, Guest::sockets)?;
    sockets::tcp::add_to_linker::<_, WasiSockets>(l, Guest::sockets)?;
    sockets::tcp_create_socket::add_to_linker::<_, WasiSockets>(l, Guest::sockets)?;
    sockets::udp::add_to_linker::<_, WasiSockets>(l, Guest::sockets)?;
    sockets::udp_create_socket::add_to_linker::<_, WasiSockets>(l, Guest::sockets)?;
    Ok(())
}
