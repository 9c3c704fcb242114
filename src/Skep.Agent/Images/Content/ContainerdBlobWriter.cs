using System.Security.Cryptography;
using Google.Protobuf;
using Skep.Agent.Images.Manifests;
using Skep.Protocol.Containerd;
using Skep.Rpc;

namespace Skep.Agent.Images.Content;

/// <summary>
/// One write stream of containerd's content service. containerd computes the digest while it writes and refuses a commit that does
/// not match; where no digest is expected, it is computed here as well, to know what was written when containerd has it already.
/// </summary>
internal sealed class ContainerdBlobWriter : IBlobWriter
{
    private const int LongestMessage = 1024 * 1024;
    private const int LockAttempts = 40;
    private static readonly TimeSpan s_lockWait = TimeSpan.FromMilliseconds(50);

    private readonly RpcChannel _channel;
    private readonly RpcDuplexCall<WriteContentRequest, WriteContentResponse> _call;
    private readonly CancellationTokenSource _ended;
    private readonly IAsyncEnumerator<WriteContentResponse> _answers;
    private readonly WriteContentRequest _first;
    private readonly IncrementalHash? _hash;

    private ContainerdBlobWriter(RpcChannel channel, WriteContentRequest first)
    {
        _channel = channel;
        _first = first;
        _ended = new CancellationTokenSource();
        _call = channel.Duplex(ContainerdMethods.WriteContent, _ended.Token);
        _answers = _call.ReadAllAsync(_ended.Token).GetAsyncEnumerator(_ended.Token);
        _hash = first.Expected.Length == 0 ? IncrementalHash.CreateHash(HashAlgorithmName.SHA256) : null;
    }

    public long Offset { get; private set; }

    /// <summary>Null when the content is there already.</summary>
    public static async Task<ContainerdBlobWriter?> OpenAsync(
        RpcChannel channel, string name, string? digest, long? size, CancellationToken cancellationToken)
    {
        var first = new WriteContentRequest { Action = WriteAction.Stat, Ref = name, Expected = digest ?? "", Total = size ?? 0 };
        for (var attempt = 1; ; attempt++)
        {
            var writer = new ContainerdBlobWriter(channel, first);
            try
            {
                writer.Offset = (await writer.CallAsync(first, cancellationToken)).Offset;
                return writer;
            }
            catch (RpcException e)
            {
                await writer.DisposeAsync();
                if (e.Code == RpcStatusCode.AlreadyExists && digest is not null)
                {
                    return null;
                }
                // A writer that was just given up holds its name until containerd has noticed.
                if (e.Code != RpcStatusCode.Unavailable || !e.Message.Contains("locked", StringComparison.Ordinal) || attempt == LockAttempts)
                {
                    throw;
                }
            }
            catch
            {
                await writer.DisposeAsync();
                throw;
            }
            await Task.Delay(s_lockWait, TimeProvider.System, cancellationToken);
        }
    }

    public async Task WriteAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
    {
        while (data.Length > 0)
        {
            var part = data[..Math.Min(data.Length, LongestMessage)];
            _hash?.AppendData(part.Span);
            var request = new WriteContentRequest
            {
                Action = WriteAction.Write,
                Ref = _first.Ref,
                Offset = Offset,
                Data = UnsafeByteOperations.UnsafeWrap(part),
            };
            await CallAsync(request, cancellationToken);
            Offset += part.Length;
            data = data[part.Length..];
        }
    }

    public async Task<string> CommitAsync(CancellationToken cancellationToken)
    {
        var digest = _hash is null ? _first.Expected : Digests.Name(_hash.GetCurrentHash());
        var request = new WriteContentRequest
        {
            Action = WriteAction.Commit,
            Ref = _first.Ref,
            Offset = Offset,
            Total = Offset,
            Expected = digest,
        };
        try
        {
            await CallAsync(request, cancellationToken);
        }
        catch (RpcException e) when (e.Code == RpcStatusCode.AlreadyExists)
        {
            // Somebody else has written the same.
        }
        catch (RpcException e) when (e.Code == RpcStatusCode.FailedPrecondition)
        {
            throw new InvalidDataException($"filesystem layer verification failed for digest {digest}", e);
        }
        return digest;
    }

    public async Task AbortAsync(CancellationToken cancellationToken)
    {
        await DisposeAsync();
        try
        {
            await _channel.UnaryAsync(ContainerdMethods.AbortContent, new AbortContentRequest { Ref = _first.Ref }, cancellationToken);
        }
        catch (RpcException)
        {
            // Gone already, or containerd is away: the lease's end takes it.
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_ended.IsCancellationRequested)
        {
            return;
        }
        await _ended.CancelAsync();
        await _answers.DisposeAsync();
        await _call.DisposeAsync();
        _ended.Dispose();
        _hash?.Dispose();
    }

    // containerd answers every message; with one under way at a time an error is known to belong to it.
    private async Task<WriteContentResponse> CallAsync(WriteContentRequest request, CancellationToken cancellationToken)
    {
        await using var cancellation = cancellationToken.UnsafeRegister(static ended => ((CancellationTokenSource)ended!).Cancel(), _ended);
        try
        {
            try
            {
                await _call.WriteAsync(request, cancellationToken);
            }
            catch (RpcException) when (!cancellationToken.IsCancellationRequested)
            {
                // The reader knows why the call has ended.
            }
            return await _answers.MoveNextAsync()
                ? _answers.Current
                : throw new RpcException(RpcStatusCode.Unavailable, "containerd ended the write before its time");
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            throw new OperationCanceledException(cancellationToken);
        }
    }
}
