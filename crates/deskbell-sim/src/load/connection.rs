//! One keep-alive connection: a request is written whole, and an answer read by its `content-length`.

use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::request::PreparedRequest;

/// An answer is a status and a few headers; a longer one is refused.
const ANSWER_BYTES_MAX: usize = 16 * 1024;
const HEADERS_MAX: usize = 32;

pub(crate) struct Connection {
    stream: TcpStream,
    out: Vec<u8>,
    answer: Box<[u8]>,
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let answer = vec![0; ANSWER_BYTES_MAX].into_boxed_slice();
        Ok(Self { stream, out: Vec::new(), answer })
    }

    /// Sends the request and returns the status of the answer.
    pub(crate) async fn exchange(&mut self, request: &PreparedRequest) -> io::Result<u16> {
        self.out.clear();
        self.out.extend_from_slice(&request.head);
        self.out.extend_from_slice(&request.body);
        self.stream.write_all(&self.out).await?;
        self.read_answer().await
    }

    async fn read_answer(&mut self) -> io::Result<u16> {
        let mut filled = 0;
        loop {
            let read = self.stream.read(&mut self.answer[filled..]).await?;
            if read == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            filled += read;
            if let Some((status, bytes)) = parse(&self.answer[..filled])?
                && filled >= bytes
            {
                return Ok(status);
            }
        }
    }
}

/// The status and the length of the whole answer, once its head is there.
fn parse(answer: &[u8]) -> io::Result<Option<(u16, usize)>> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut response = httparse::Response::new(&mut headers);
    let parsed = response.parse(answer).map_err(|error| invalid(&error.to_string()))?;
    let httparse::Status::Complete(head_bytes) = parsed else { return Ok(None) };
    let status = response.code.ok_or_else(|| invalid("an answer without a status"))?;
    let length = response.headers.iter().find(|h| h.name.eq_ignore_ascii_case("content-length"));
    let body_bytes = match length {
        Some(header) => std::str::from_utf8(header.value)
            .ok()
            .and_then(|value| value.trim().parse::<usize>().ok())
            .ok_or_else(|| invalid("a content-length that is no number"))?,
        None if status == 204 => 0,
        None => return Err(invalid("an answer without a content-length")),
    };
    let answer_bytes = head_bytes.saturating_add(body_bytes);
    if answer_bytes > ANSWER_BYTES_MAX {
        return Err(invalid("an answer that is too long"));
    }
    Ok(Some((status, answer_bytes)))
}

fn invalid(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_as_long_as_it_says() {
        let whole = b"HTTP/1.1 200 OK\r\nContent-Length: 17\r\n\r\n{\"received\":true}";
        assert_eq!(parse(whole).unwrap(), Some((200, whole.len())));
        assert_eq!(parse(&whole[..50]).unwrap(), Some((200, whole.len())));
        assert_eq!(parse(&whole[..20]).unwrap(), None);
        let empty = b"HTTP/1.1 204 No Content\r\n\r\n";
        assert_eq!(parse(empty).unwrap(), Some((204, empty.len())));
    }

    #[test]
    fn an_answer_without_an_end_is_refused() {
        for answer in [
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length: many\r\n\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length: 99999\r\n\r\n",
            "SSH-2.0-OpenSSH\r\n\r\n",
        ] {
            assert!(parse(answer.as_bytes()).is_err(), "{answer:?}");
        }
    }
}
