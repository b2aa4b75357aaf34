//! Tells in the error of `do-setup` which arguments, environment variables, working directory and
//! directories it sees. The host must show it none but what is granted: `arguments=[] environment=[]
//! directory=None preopens=[]`.

use cofferdam_hostile::Hostile;
use cofferdam_hostile::cofferdam_driver::wasip2::cli::environment::{
    get_arguments, get_environment, initial_cwd,
};
use cofferdam_hostile::cofferdam_driver::wasip2::filesystem::preopens::get_directories;
use cofferdam_hostile::cofferdam_driver::{Error, Settings};

struct Behaviour;

impl Hostile for Behaviour {
    fn do_setup(_: &Settings) -> Result<(), Error> {
        let preopens: Vec<String> = get_directories().into_iter().map(|(_, path)| path).collect();
        Err(Error::failed(format!(
            "arguments={:?} environment={:?} directory={:?} preopens={preopens:?}",
            get_arguments(),
            get_environment(),
            initial_cwd(),
        )))
    }
}

cofferdam_hostile::misbehave!(Behaviour);
