//! What the compiler says to an author who made a mistake: the files in `tests/ui`, each beside its messages.

#[test]
fn mistakes_are_named_where_they_are_with_what_would_work() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
