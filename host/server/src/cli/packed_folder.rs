//! A folder as a tar archive. The same files give the same bytes: sorted, without times, owners and foreign modes.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tar::{Builder, EntryType, Header, HeaderMode};

/// Writes everything below `dir`, with paths relative to it. Links stay links; what is neither a file, a folder nor a
/// link is refused.
pub(super) fn write(dir: &Path, out: impl Write) -> io::Result<()> {
    let mut archive = Builder::new(out);
    archive.mode(HeaderMode::Deterministic);
    archive.follow_symlinks(false);
    add_folder(&mut archive, dir, Path::new(""))?;
    archive.into_inner()?.flush()
}

fn add_folder(archive: &mut Builder<impl Write>, dir: &Path, inside: &Path) -> io::Result<()> {
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(dir)?.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<_>>()?;
    paths.sort();
    for path in paths {
        let name = inside.join(path.file_name().unwrap_or_default());
        let kind = path.symlink_metadata()?.file_type();
        if kind.is_dir() {
            archive.append_data(&mut folder_header(), &name, io::empty())?;
            add_folder(archive, &path, &name)?;
        } else if kind.is_file() {
            add_file(archive, &path, &name)?;
        } else if kind.is_symlink() {
            add_link(archive, &std::fs::read_link(&path)?, &name)?;
        } else {
            let what = format!("{} is neither a file, a folder nor a link", path.display());
            return Err(io::Error::new(io::ErrorKind::InvalidInput, what));
        }
    }
    Ok(())
}

fn add_file(archive: &mut Builder<impl Write>, path: &Path, name: &Path) -> io::Result<()> {
    let file = File::open(path)?;
    let mut header = Header::new_gnu();
    header.set_metadata_in_mode(&file.metadata()?, HeaderMode::Deterministic);
    header.set_mtime(0);
    archive.append_data(&mut header, name, file)
}

fn folder_header() -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(EntryType::Directory);
    header.set_mode(0o755);
    header.set_size(0);
    header
}

fn add_link(archive: &mut Builder<impl Write>, target: &Path, name: &Path) -> io::Result<()> {
    let mut header = Header::new_gnu();
    header.set_entry_type(EntryType::Symlink);
    header.set_mode(0o777);
    header.set_size(0);
    archive.append_link(&mut header, name, target)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packed(dir: &Path) -> Vec<u8> {
        let mut bytes = Vec::new();
        write(dir, &mut bytes).unwrap();
        bytes
    }

    #[test]
    fn the_same_files_give_the_same_bytes_whenever_they_were_written() {
        let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        for (dir, names) in [(&one, ["b.txt", "a.txt"]), (&two, ["a.txt", "b.txt"])] {
            std::fs::create_dir(dir.path().join("inner")).unwrap();
            for name in names {
                std::fs::write(dir.path().join("inner").join(name), name).unwrap();
            }
        }
        let old = File::open(two.path().join("inner/a.txt")).unwrap();
        old.set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
        assert_eq!(packed(one.path()), packed(two.path()));
    }

    #[test]
    fn paths_are_relative_and_links_stay_links() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("inner")).unwrap();
        std::fs::write(dir.path().join("inner/file"), "text").unwrap();
        std::os::unix::fs::symlink("inner/file", dir.path().join("link")).unwrap();
        let bytes = packed(dir.path());
        let mut archive = tar::Archive::new(bytes.as_slice());
        let entries: Vec<(String, EntryType)> = archive
            .entries()
            .unwrap()
            .map(|entry| {
                let entry = entry.unwrap();
                (entry.path().unwrap().display().to_string(), entry.header().entry_type())
            })
            .collect();
        let expected = [
            ("inner".to_owned(), EntryType::Directory),
            ("inner/file".to_owned(), EntryType::Regular),
            ("link".to_owned(), EntryType::Symlink),
        ];
        assert_eq!(entries, expected);
    }
}
