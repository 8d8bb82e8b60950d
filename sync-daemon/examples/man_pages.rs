//! Writes the man pages of the daemon and of each of its commands: `man_pages FOLDER`.
#![forbid(unsafe_code)]

fn main() -> std::io::Result<()> {
    let folder = std::env::args_os()
        .nth(1)
        .ok_or_else(|| std::io::Error::other("usage: man_pages FOLDER"))?;
    clap_mangen::generate_to(crm_health_sync::cli::command(), folder)
}
