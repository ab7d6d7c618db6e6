//! Downloads a URL with `async` and `await`: it reads like code that blocks, and does not block.

mod http;

use std::io::{self, Write};
use std::net::TcpStream;

use groundup::block_on;
use groundup::runtime::Async;
use http::Target;

async fn wget(target: &Target) -> io::Result<Vec<u8>> {
    let stream = Async::connect(target.address).await?;
    stream.write_all(&target.request()).await?;
    receive(&stream).await
}

async fn receive(stream: &Async<TcpStream>) -> io::Result<Vec<u8>> {
    let mut response = Vec::new();
    while stream.read_with(|stream| http::read(stream, &mut response)).await? > 0 {}
    Ok(response)
}

fn main() -> io::Result<()> {
    let response = block_on(wget(&Target::from_arguments()?))?;
    io::stdout().write_all(http::body(&response)?)
}
