//! The command line.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, CommandFactory, Parser, Subcommand};
use tracing_subscriber::EnvFilter;
use uuid::Uuid;

use crate::commands;
use crate::config::{Config, Environment, LogFormat};

const EXIT_CODES: &str = "\
Exit codes:
  0  done, no errors
  1  done, but some mailboxes or checks failed (the report says which)
  2  wrong usage
  3  wrong configuration
  4  the database cannot be used
  5  Google refuses this daemon's OAuth client or its daily quota is used up
  6  interrupted; what was not done waits in the ledger

Secrets come from the environment or from files named there, never from the command line:
  CRM_HEALTH_DATABASE_URL, CRM_HEALTH_GOOGLE_CLIENT_SECRET, CRM_HEALTH_CRON_SECRET,
  CRM_HEALTH_TOKEN_KEY, CRM_HEALTH_ANTHROPIC_API_KEY, and CRM_HEALTH_CHANNEL_<NAME>_URL and
  ..._SECRET for each channel of notifications, each also as ..._FILE.";

/// Brings the Gmail metadata of active users into the CRM, where crm_health scores feed on it.
#[derive(Parser)]
#[command(name = "crm-health-sync", version, after_help = EXIT_CODES)]
struct Cli {
    /// Configuration file [default: $CRM_HEALTH_CONFIG, else /etc/crm-health/sync.toml if it exists]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the service: schedule, HTTP endpoints, retries
    Run,
    /// Sync once, now, and print the report as JSON
    Sync(SyncArgs),
    /// Read older mail, also for contacts added since; resumes where it stopped
    Backfill(BackfillArgs),
    /// Check configuration, database, privileges, credentials; say what is wrong and how to mend it
    CheckConfig(CheckArgs),
    /// Show all mailboxes and channels: state, last success, what waits, next attempt, reason
    Status(StatusArgs),
    /// Connect a user's mailbox through Google's consent page, in a browser on this machine
    Connect(ConnectArgs),
    /// Create the daemon's own tables (schema crm_health_sync), or what is missing of them
    Migrate,
    /// Seal all stored tokens under the first key of CRM_HEALTH_TOKEN_KEY
    RotateKeys,
    /// Print the default configuration, with what each key means
    DefaultConfig(DefaultConfigArgs),
    /// Write the man pages into a folder, for a package
    #[command(hide = true)]
    ManPages {
        /// A folder that is there
        folder: PathBuf,
    },
}

#[derive(Args)]
pub(crate) struct SyncArgs {
    /// Only this user (may be repeated); also one who has not logged in lately
    #[arg(long, value_name = "ID")]
    pub(crate) user: Vec<Uuid>,
    /// List the mail of so long again, beside what is new: 90m, 12h, 30d
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    pub(crate) since: Option<Duration>,
}

#[derive(Args)]
pub(crate) struct BackfillArgs {
    /// This user (may be repeated)
    #[arg(
        long,
        value_name = "ID",
        required_unless_present = "all",
        conflicts_with = "all"
    )]
    pub(crate) user: Vec<Uuid>,
    /// All users with a connected mailbox
    #[arg(long)]
    pub(crate) all: bool,
    /// How many days back
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=36_500))]
    pub(crate) days: u32,
}

#[derive(Args)]
pub(crate) struct CheckArgs {
    /// Send a test message to each channel of notifications
    #[arg(long)]
    pub(crate) send_test: bool,
}

#[derive(Args)]
pub(crate) struct StatusArgs {
    /// Only the channels of notifications
    #[arg(long)]
    pub(crate) channels: bool,
    /// As JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args)]
pub(crate) struct ConnectArgs {
    /// The user that the mailbox belongs to
    #[arg(long, value_name = "ID")]
    pub(crate) user: Uuid,
    /// Port for Google's answer on 127.0.0.1 [default: any free one]
    #[arg(long, default_value_t = 0, hide_default_value = true)]
    pub(crate) port: u16,
}

#[derive(Args)]
struct DefaultConfigArgs {
    /// As the reference of the documentation
    #[arg(long, hide = true)]
    markdown: bool,
}

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// No errors.
    Success = 0,
    /// Some mailboxes or checks failed.
    SomeFailed = 1,
    /// Wrong configuration.
    Config = 3,
    /// The database cannot be used.
    Database = 4,
    /// Our client or the project's quota.
    Google = 5,
    /// SIGTERM or SIGINT.
    Interrupted = 6,
}

/// Reads the command line and does it.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    if let Some(told) = tell(&cli.command) {
        return told;
    }
    let config = match Config::load(cli.config.as_deref(), &Environment::of_process()) {
        Ok(config) => config,
        Err(error) => {
            eprintln!("crm-health-sync: {error}");
            return ExitCode::from(Exit::Config as u8);
        }
    };
    start_log(config.log_format);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let exit = match runtime {
        Ok(runtime) => runtime.block_on(dispatch(cli, config)),
        Err(error) => {
            eprintln!("crm-health-sync: no runtime: {error}");
            Exit::Config
        }
    };
    ExitCode::from(exit as u8)
}

/// What needs no configuration: the documentation that the program carries.
fn tell(command: &Command) -> Option<ExitCode> {
    match command {
        Command::DefaultConfig(args) if args.markdown => print!("{}", crate::config::reference()),
        Command::DefaultConfig(_) => print!("{}", crate::config::DEFAULTS),
        Command::ManPages { folder } => {
            if let Err(error) = clap_mangen::generate_to(Cli::command(), folder) {
                eprintln!("crm-health-sync: {}: {error}", folder.display());
                return Some(ExitCode::FAILURE);
            }
        }
        _ => return None,
    }
    Some(ExitCode::SUCCESS)
}

async fn dispatch(cli: Cli, config: Config) -> Exit {
    match cli.command {
        Command::Run => commands::run::run(config, cli.config).await,
        Command::Sync(args) => commands::sync::sync(config, args).await,
        Command::Backfill(args) => commands::backfill::backfill(config, args).await,
        Command::CheckConfig(args) => commands::check::check(config, &args).await,
        Command::Status(args) => commands::status::status(&config, &args).await,
        Command::Connect(args) => commands::connect::connect(config, &args).await,
        Command::Migrate => commands::migrate::migrate(&config).await,
        Command::RotateKeys => commands::keys::rotate(config).await,
        // Told before there was a configuration.
        Command::DefaultConfig(_) | Command::ManPages { .. } => Exit::Success,
    }
}

/// Lines go to standard error; RUST_LOG chooses them.
fn start_log(format: LogFormat) {
    let filter = EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| EnvFilter::new("warn,crm_health_sync=info"));
    // Colours are for a terminal: in a file, or at whoever collects logs, their codes stand in the way of reading and searching.
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none())
        .with_writer(std::io::stderr);
    match format {
        LogFormat::Text => log.init(),
        LogFormat::Json => log.json().init(),
    }
}

/// `90m`, `12h`, `30d`, or seconds.
fn parse_duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("{text} is not a duration: write 90m, 12h or 30d");
    let split = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let seconds = match unit {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return Err(wrong()),
    };
    let total = number
        .checked_mul(seconds)
        .filter(|t| (1..=3_153_600_000).contains(t));
    total.map(Duration::from_secs).ok_or_else(wrong)
}
