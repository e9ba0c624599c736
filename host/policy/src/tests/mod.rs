//! What only this room can see: slices against the full set, facts against the schema, and policies that err.

mod errors;
mod facts;
mod reference;
mod schema;
mod slices;
