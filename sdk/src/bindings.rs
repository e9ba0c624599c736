//! The contract as Rust, generated from the whole of `wit/`. What a plugin does not call is not imported by its
//! component.

#[cfg(not(quantum_describe))]
wit_bindgen::generate!({
    path: "wit",
    world: "plugin",
    generate_all,
    pub_export_macro: true,
    export_macro_name: "export_plugin",
    default_bindings_module: "quantum_sdk::bindings",
});

#[cfg(quantum_describe)]
wit_bindgen::generate!({
    path: "wit",
    world: "describing",
    generate_all,
    pub_export_macro: true,
    export_macro_name: "export_plugin",
    default_bindings_module: "quantum_sdk::bindings",
});
