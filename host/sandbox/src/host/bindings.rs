//! Generated from `wit/`: the interfaces that this host provides, and those that it calls.

wasmtime::component::bindgen!({
    path: "../../wit",
    inline: "
        package quantum:host;
        world runner {
            import quantum:context/context@1.0.0;
            import quantum:log/log@1.0.0;
            export quantum:plugin/actions@1.0.0;
        }
    ",
    world: "quantum:host/runner",
    exports: { default: async },
});

/// The build that tells its manifest.
pub mod describing {
    wasmtime::component::bindgen!({
        path: "../../wit",
        inline: "
            package quantum:host;
            world describer {
                export quantum:plugin/describe@1.0.0;
            }
        ",
        world: "quantum:host/describer",
        exports: { default: async },
    });
}
