//! Waiting for descriptors: pipes, sockets, connections, and reads that are given up.

use std::future::pending;
use std::io::{self, PipeReader, Read, Write, pipe};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::rc::Rc;
use std::thread;
use std::time::Duration;

use groundup::runtime::Async;
use groundup::{block_on, sleep, spawn, yield_now};
use rustix::time::{ClockId, clock_gettime};

use crate::limit::in_time;
use crate::race;

/// Reads to the end.
async fn read_all<T: AsFd>(io: &Async<T>) -> io::Result<Vec<u8>>
where
    for<'a> &'a T: Read,
{
    let mut all = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        match io.read_with(|mut io| io.read(&mut chunk)).await? {
            0 => return Ok(all),
            length => all.extend_from_slice(&chunk[..length]),
        }
    }
}

fn read_once(mut reader: &PipeReader) -> io::Result<usize> {
    reader.read(&mut [0; 8])
}

async fn write_all<T: AsFd>(io: &Async<T>, mut bytes: &[u8]) -> io::Result<()>
where
    for<'a> &'a T: Write,
{
    while !bytes.is_empty() {
        let length = io.write_with(|mut io| io.write(bytes)).await?;
        bytes = &bytes[length..];
    }
    Ok(())
}

/// More than any buffer of the kernel holds.
fn many_bytes() -> Vec<u8> {
    (0..1_000_000u32).map(|n| (n.wrapping_mul(n) >> 3) as u8).collect()
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn a_pipe_carries_more_than_it_holds() {
    let received = in_time(|| {
        block_on(async {
            let (reader, writer) = pipe()?;
            let (reader, writer) = (Async::new(reader)?, Async::new(writer)?);
            let sending = spawn(async move { write_all(&writer, &many_bytes()).await });
            let received = read_all(&reader).await?;
            sending.await?;
            io::Result::Ok(received)
        })
    });
    assert!(received.unwrap() == many_bytes());
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn one_task_reads_a_socket_while_another_writes_to_it() {
    let echoed = in_time(|| {
        block_on(async {
            let (one, other) = UnixStream::pair()?;
            let (one, other) = (Rc::new(Async::new(one)?), Async::new(other)?);
            let echo = spawn(async move {
                let mut chunk = [0; 1000];
                while let length @ 1.. = other.read_with(|mut io| io.read(&mut chunk)).await? {
                    write_all(&other, &chunk[..length]).await?;
                }
                io::Result::Ok(())
            });
            let writing = one.clone();
            let sending = spawn(async move {
                write_all(&writing, &many_bytes()).await?;
                writing.get_ref().shutdown(std::net::Shutdown::Write)
            });
            let echoed = read_all(&one).await?;
            sending.await?;
            echo.await?;
            io::Result::Ok(echoed)
        })
    });
    assert!(echoed.unwrap() == many_bytes());
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn a_server_and_its_clients_run_on_one_loop() {
    const CLIENTS: usize = 100;
    async fn serve(listener: Async<TcpListener>) -> io::Result<()> {
        for _ in 0..CLIENTS {
            let (stream, _) = listener.read_with(|listener| listener.accept()).await?;
            let stream = Async::new(stream)?;
            spawn(async move { write_all(&stream, b"welcome").await }).detach();
        }
        Ok(())
    }
    let greetings = in_time(|| {
        block_on(async {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
            let address = listener.local_addr()?;
            let server = spawn(serve(Async::new(listener)?));
            let visit = move || async move { read_all(&Async::connect(address).await?).await };
            let clients: Vec<_> = (0..CLIENTS).map(|_| spawn(visit())).collect();
            let mut greetings = Vec::new();
            for client in clients {
                greetings.push(client.await?);
            }
            server.await?;
            io::Result::Ok(greetings)
        })
    });
    assert_eq!(greetings.unwrap(), vec![b"welcome"; CLIENTS]);
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn a_connection_nobody_listens_for_is_refused() {
    let outcome = in_time(|| {
        // Bound but not listening, so that nobody else gets the port meanwhile.
        let port = rustix::net::socket(
            rustix::net::AddressFamily::INET,
            rustix::net::SocketType::STREAM,
            None,
        )
        .unwrap();
        let any = std::net::SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        rustix::net::bind(&port, &any).unwrap();
        let address = rustix::net::getsockname(&port).unwrap().try_into().unwrap();
        block_on(Async::<TcpStream>::connect(address)).map(drop)
    });
    assert_eq!(outcome.unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn a_hang_up_ends_the_wait() {
    let received = in_time(|| {
        block_on(async {
            let (reader, writer) = pipe()?;
            let reading = spawn({
                let reader = Async::new(reader)?;
                async move { read_all(&reader).await }
            });
            yield_now().await;
            drop(writer);
            reading.await
        })
    });
    assert_eq!(received.unwrap(), []);
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn writable_waits_for_room() {
    in_time(|| {
        block_on(async {
            let (mut reader, writer) = pipe().unwrap();
            let writer = Async::new(writer).unwrap();
            writer.writable().await.unwrap();
            while writer.get_ref().write(&[0; 4096]).is_ok() {}
            let waiting = spawn(async move { writer.writable().await });
            sleep(Duration::from_millis(2)).await;
            assert!(!waiting.is_finished());
            reader.read_exact(&mut [0; 65536]).unwrap();
            waiting.await.unwrap();
        });
    });
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn errors_of_the_operation_are_given_at_once() {
    let outcome = block_on(async {
        let (reader, _writer) = pipe()?;
        let reader = Async::new(reader)?;
        reader.read_with(|_| io::Result::<()>::Err(io::ErrorKind::InvalidData.into())).await
    });
    assert_eq!(outcome.unwrap_err().kind(), io::ErrorKind::InvalidData);
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn a_second_task_that_would_wait_for_one_direction_is_refused() {
    let (first, second) = in_time(|| {
        block_on(async {
            let (reader, mut writer) = pipe().unwrap();
            let reader = Rc::new(Async::new(reader).unwrap());
            let waiting = reader.clone();
            let first = spawn(async move { read_all(&waiting).await });
            yield_now().await;
            let second = read_all(&reader).await;
            writer.write_all(b"for the first").unwrap();
            drop(writer);
            (first.await, second)
        })
    });
    assert_eq!(second.unwrap_err().kind(), io::ErrorKind::ResourceBusy);
    assert_eq!(first.unwrap(), b"for the first");
}

/// The time this thread has computed.
fn computed() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn a_read_that_is_given_up_does_not_leave_the_loop_spinning() {
    const PAUSE: Duration = Duration::from_millis(200);
    let computed = block_on(async {
        let (reader, mut writer) = pipe().unwrap();
        let reader = Async::new(reader).unwrap();
        let read = reader.read_with(read_once);
        let give_up = async {
            sleep(Duration::from_millis(1)).await;
            Err(io::ErrorKind::TimedOut.into())
        };
        assert_eq!(race(read, give_up).await.unwrap_err().kind(), io::ErrorKind::TimedOut);
        // From now on the pipe is readable, and nobody wants to know.
        writer.write_all(b"x").unwrap();
        let before = computed();
        sleep(PAUSE).await;
        let computed = computed() - before;
        assert_eq!(reader.read_with(read_once).await.unwrap(), 1);
        computed
    });
    assert!(computed < PAUSE / 4, "{computed:?} of {PAUSE:?}");
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn a_task_that_is_cancelled_while_it_reads_leaves_the_descriptor_to_others() {
    in_time(|| {
        block_on(async {
            let (reader, mut writer) = pipe().unwrap();
            let reader = Rc::new(Async::new(reader).unwrap());
            let first = reader.clone();
            let cancelled = spawn(async move { read_all(&first).await });
            yield_now().await;
            drop(cancelled);
            let reading = spawn(async move { read_all(&reader).await });
            yield_now().await;
            writer.write_all(b"for the second").unwrap();
            drop(writer);
            assert_eq!(reading.await.unwrap(), b"for the second");
        });
    });
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn a_descriptor_is_entered_once_and_leaves_when_it_is_dropped() {
    block_on(async {
        let (reader, _writer) = pipe().unwrap();
        let entered = Async::new(&reader).unwrap();
        let again = Async::new(&reader);
        assert_eq!(again.unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        drop(entered);
        Async::new(&reader).unwrap();
    });
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn an_object_that_outlives_its_loop_is_not_waited_for_on_the_next() {
    in_time(|| {
        let (reader, mut writer) = pipe().unwrap();
        let stale = block_on(async { Async::new(reader).unwrap() });
        let outcome = block_on(stale.read_with(read_once));
        assert_eq!(outcome.unwrap_err().kind(), io::ErrorKind::NotFound);
        thread::spawn(move || writer.write_all(b"x")).join().unwrap().unwrap();
        let outcome = block_on(stale.read_with(read_once));
        assert_eq!(outcome.unwrap(), 1, "what needs no waiting works anywhere");
    });
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn an_object_that_outlives_its_loop_does_not_disturb_its_successor() {
    let outcome = in_time(|| {
        let (reader, mut writer) = pipe()?;
        let stale = block_on(async { Async::new(&reader) })?;
        block_on(async {
            let successor = Async::new(&reader)?;
            let waiting = successor.read_with(|reader| read_once(reader));
            let meanwhile = async {
                let refused = stale.read_with(|reader| read_once(reader)).await;
                assert_eq!(refused.unwrap_err().kind(), io::ErrorKind::NotFound);
                drop(stale);
                writer.write_all(b"hello")?;
                pending().await
            };
            race(waiting, meanwhile).await
        })
    });
    assert_eq!(outcome.unwrap(), 5);
}
