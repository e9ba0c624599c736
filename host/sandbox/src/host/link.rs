//! The one linker: everything that this host provides, for every component and tenant. Grants are in the store.

use wasmtime::Engine;
use wasmtime::component::{HasData, HasSelf, Linker, ResourceTable};
use wasmtime_wasi::cli::{WasiCli, WasiCliView};
use wasmtime_wasi::filesystem::{WasiFilesystem, WasiFilesystemView};
use wasmtime_wasi::p2::bindings::{cli, clocks, filesystem, random, sockets};
use wasmtime_wasi::sockets::{WasiSockets, WasiSocketsView};
use wasmtime_wasi_http::{WasiHttp, WasiHttpCtxView, WasiHttpView};

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
    add_http(l)?;
    Ok(linker)
}

fn called_for_http(guest: &mut Guest) -> WasiHttpCtxView<'_> {
    guest.called().http()
}

fn add_http(l: &mut Linker<Guest>) -> wasmtime::Result<()> {
    use wasmtime_wasi_http::p2::bindings::{LinkOptions, http};
    http::outgoing_handler::add_to_linker::<_, WasiHttp>(l, called_for_http)?;
    http::types::add_to_linker::<_, WasiHttp>(l, &(&LinkOptions::default()).into(), called_for_http)?;
    Ok(())
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
    io::error::add_to_linker::<_, Io>(l, |guest| guest.called().table())?;
    io::poll::add_to_linker::<_, Io>(l, |guest| guest.called().table())?;
    io::streams::add_to_linker::<_, Io>(l, |guest| guest.called().table())?;
    cli::exit::add_to_linker::<_, WasiCli>(l, |guest| guest.called().cli())?;
    cli::environment::add_to_linker::<_, WasiCli>(l, |guest| guest.called().cli())?;
    cli::stdin::add_to_linker::<_, WasiCli>(l, |guest| guest.called().cli())?;
    cli::stdout::add_to_linker::<_, WasiCli>(l, |guest| guest.called().cli())?;
    cli::stderr::add_to_linker::<_, WasiCli>(l, |guest| guest.called().cli())?;
    cli::terminal_input::add_to_linker::<_, WasiCli>(l, |guest| guest.called().cli())?;
    cli::terminal_output::add_to_linker::<_, WasiCli>(l, |guest| guest.called().cli())?;
    cli::terminal_stdin::add_to_linker::<_, WasiCli>(l, |guest| guest.called().cli())?;
    cli::terminal_stdout::add_to_linker::<_, WasiCli>(l, |guest| guest.called().cli())?;
    cli::terminal_stderr::add_to_linker::<_, WasiCli>(l, |guest| guest.called().cli())?;
    random::insecure_seed::add_to_linker::<_, HasSelf<Guest>>(l, Guest::called)?;
    Ok(())
}

/// Capabilities that are checked at each call.
fn add_gated(l: &mut Linker<Guest>) -> wasmtime::Result<()> {
    clocks::wall_clock::add_to_linker::<_, HasSelf<Guest>>(l, Guest::called)?;
    clocks::monotonic_clock::add_to_linker::<_, HasSelf<Guest>>(l, Guest::called)?;
    random::random::add_to_linker::<_, HasSelf<Guest>>(l, Guest::called)?;
    random::insecure::add_to_linker::<_, HasSelf<Guest>>(l, Guest::called)?;
    Ok(())
}

/// Files and sockets: linked because Python imports them unused. There is no directory, and every address is refused.
fn add_refusing(l: &mut Linker<Guest>) -> wasmtime::Result<()> {
    filesystem::preopens::add_to_linker::<_, WasiFilesystem>(l, |guest| guest.called().filesystem())?;
    filesystem::types::add_to_linker::<_, WasiFilesystem>(l, |guest| guest.called().filesystem())?;
    let options = sockets::network::LinkOptions::default();
    sockets::network::add_to_linker::<_, WasiSockets>(l, &options, |guest| guest.called().sockets())?;
    sockets::instance_network::add_to_linker::<_, WasiSockets>(l, |guest| guest.called().sockets())?;
    sockets::ip_name_lookup::add_to_linker::<_, WasiSockets>(l, |guest| guest.called().sockets())?;
    sockets::tcp::add_to_linker::<_, WasiSockets>(l, |guest| guest.called().sockets())?;
    sockets::tcp_create_socket::add_to_linker::<_, WasiSockets>(l, |guest| guest.called().sockets())?;
    sockets::udp::add_to_linker::<_, WasiSockets>(l, |guest| guest.called().sockets())?;
    sockets::udp_create_socket::add_to_linker::<_, WasiSockets>(l, |guest| guest.called().sockets())?;
    Ok(())
}
