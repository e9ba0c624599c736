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

/// Effects on stored data: calls that wait, and that trap without a grant.
pub mod effects {
    wasmtime::component::bindgen!({
        path: "../../wit",
        inline: "
            package quantum:host;
            world effects {
                import quantum:kv/kv@1.0.0;
                import quantum:artifacts/artifacts@1.0.0;
                import quantum:secrets/secrets@1.0.0;
                import quantum:secrets/reveal@1.0.0;
            }
        ",
        world: "quantum:host/effects",
        imports: { default: async | trappable },
        with: {
            "quantum:artifacts/artifacts.reader": crate::host::Reader,
            "quantum:artifacts/artifacts.writer": crate::host::Writer,
        },
    });
}

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
