//! The body of an answer: a short text, or a part of a file, read as fast as the client takes it.

use std::io::{self, SeekFrom};
use std::ops::Range;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use hyper::body::{Body, Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncSeek, ReadBuf};

/// Bytes that are read at a time.
const PIECE: usize = 128 * 1024;

/// What is sent.
pub(super) enum Served {
    /// All of it at once.
    Text(Bytes),
    /// The next `left` bytes of a file, after the move to `start` when that is still to be made.
    Part { file: tokio::fs::File, start: Option<u64>, seeking: bool, left: u64 },
}

impl Served {
    pub(super) fn empty() -> Self {
        Self::Text(Bytes::new())
    }

    pub(super) fn text(text: String) -> Self {
        Self::Text(text.into())
    }

    /// These bytes of the file.
    pub(super) fn part(file: fs_err::File, bytes: Range<u64>) -> Self {
        let mut file = tokio::fs::File::from_std(file.into_file());
        file.set_max_buf_size(PIECE);
        let start = (bytes.start > 0).then_some(bytes.start);
        Self::Part { file, start, seeking: false, left: bytes.end.saturating_sub(bytes.start) }
    }
}

impl Body for Served {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let (file, start, seeking, left) = match self.get_mut() {
            Self::Text(text) if text.is_empty() => return Poll::Ready(None),
            Self::Text(text) => return Poll::Ready(Some(Ok(Frame::data(std::mem::take(text))))),
            Self::Part { file, start, seeking, left } => (file, start, seeking, left),
        };
        if let Some(position) = *start {
            if !*seeking {
                Pin::new(&mut *file).start_seek(SeekFrom::Start(position))?;
                *seeking = true;
            }
            ready!(Pin::new(&mut *file).poll_complete(context))?;
            *start = None;
        }
        if *left == 0 {
            return Poll::Ready(None);
        }
        let mut piece = BytesMut::zeroed(PIECE.min(usize::try_from(*left).unwrap_or(PIECE)));
        let mut buffer = ReadBuf::new(&mut piece);
        ready!(Pin::new(file).poll_read(context, &mut buffer))?;
        let length = buffer.filled().len();
        if length == 0 {
            let reason = "the file became shorter while it was sent";
            return Poll::Ready(Some(Err(io::Error::new(io::ErrorKind::UnexpectedEof, reason))));
        }
        *left = left.saturating_sub(length as u64);
        piece.truncate(length);
        Poll::Ready(Some(Ok(Frame::data(piece.freeze()))))
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Text(text) => text.is_empty(),
            Self::Part { left, .. } => *left == 0,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Text(text) => SizeHint::with_exact(text.len() as u64),
            Self::Part { left, .. } => SizeHint::with_exact(*left),
        }
    }
}
