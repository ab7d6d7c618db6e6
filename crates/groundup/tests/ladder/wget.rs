//! `wget` in three styles, against a server that takes its time.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::program::run;

pub const STYLES: [&str; 3] = ["wget_async", "wget_callbacks", "wget_generator"];

/// Answers one request with `head`, an empty line and `body`; gives the request's lines.
fn serve_once(head: &str, body: Vec<u8>) -> (String, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let authority = listener.local_addr().unwrap().to_string();
    let head = format!("{head}\r\n\r\n").into_bytes();
    let server = thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let lines = BufReader::new(&stream).lines().map(Result::unwrap);
        let request = lines.take_while(|line| !line.is_empty()).collect();
        // Whoever has heard enough may hang up.
        let _ = send_slowly(stream, &[head, body].concat());
        request
    });
    (authority, server)
}

fn send_slowly(mut stream: TcpStream, bytes: &[u8]) -> io::Result<()> {
    stream.set_nodelay(true)?;
    for chunk in bytes.chunks(3001) {
        stream.write_all(chunk)?;
        thread::sleep(Duration::from_micros(500));
    }
    Ok(())
}

/// All bytes in all neighbourhoods, the end of a head among them.
fn body() -> Vec<u8> {
    let mut state = 1u32;
    let mut bytes = b"\r\n\r\n".to_vec();
    bytes.resize_with(300_000, || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    });
    bytes
}

#[test]
#[cfg_attr(miri, ignore = "runs another program")]
fn all_three_styles_fetch_the_same_bytes() {
    for style in STYLES {
        let (authority, server) = serve_once("HTTP/1.0 200 OK\r\nContent-Length: 300000", body());
        let printed = run(style, &[&format!("http://{authority}/some/file?and=more#not-this")]);
        assert!(printed.success && printed.stderr.is_empty(), "{style}: {}", printed.stderr);
        assert!(printed.stdout == body(), "{style} printed {} bytes", printed.stdout.len());
        let request = server.join().unwrap();
        let expected = ["GET /some/file?and=more HTTP/1.0", &format!("Host: {authority}")];
        assert_eq!(request[..2], expected, "{style}");
    }
}

#[test]
#[cfg_attr(miri, ignore = "runs another program")]
fn an_empty_body_is_a_body() {
    for style in STYLES {
        let (authority, _) = serve_once("HTTP/1.0 200 OK", Vec::new());
        let printed = run(style, &[&format!("http://{authority}")]);
        assert!(printed.success && printed.stdout.is_empty(), "{style}: {}", printed.stderr);
    }
}

/// Holds all styles to failing with `reason`, without a word that looks like a body.
fn fails(mut url: impl FnMut() -> String, reason: &str) {
    for style in STYLES {
        let printed = run(style, &[&url()]);
        assert!(!printed.success && printed.stdout.is_empty(), "{style}");
        assert!(printed.stderr.contains(reason), "{style}: {}", printed.stderr);
    }
}

#[test]
#[cfg_attr(miri, ignore = "runs another program")]
fn what_the_server_refuses_is_an_error() {
    let url = || serve_once("HTTP/1.0 404 Not Found", b"no such file".to_vec()).0;
    fails(|| format!("http://{}/", url()), "404 Not Found");
}

#[test]
#[cfg_attr(miri, ignore = "runs another program")]
fn a_body_that_breaks_off_is_an_error() {
    let url = || serve_once("HTTP/1.0 200 OK\r\ncontent-length: 5000", vec![b'x'; 4000]).0;
    fails(|| format!("http://{}/", url()), "not as long as its head promised");
}

#[test]
#[cfg_attr(miri, ignore = "runs another program")]
fn a_server_that_is_not_there_is_an_error() {
    // Bound but not listening, so that nobody else gets the port meanwhile.
    use rustix::net::{AddressFamily, SocketAddrAny, SocketType, bind, getsockname, socket};
    let port = socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
    bind(&port, &std::net::SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).unwrap();
    let address: SocketAddrAny = getsockname(&port).unwrap();
    let address = std::net::SocketAddr::try_from(address).unwrap();
    fails(|| format!("http://{address}/"), "Connection refused");
}

#[test]
#[cfg_attr(miri, ignore = "runs another program")]
fn what_is_not_an_http_url_is_an_error() {
    fails(|| "ftp://127.0.0.1/".to_owned(), "not an http URL");
    fails(|| "127.0.0.1".to_owned(), "not an http URL");
}
