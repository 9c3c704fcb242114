using System.IO.Pipelines;
using System.Security.Cryptography;
using System.Text;
using Skep.Agent.Runtime;
using Skep.Model.Errors;

namespace Skep.UnitTests.Daemon.Http.Fakes;

/// <summary>
/// Commands that are known: <c>echo words…</c>, <c>cat</c>, <c>exit n</c>, <c>both</c> (a line on each stream), <c>flood n</c> (bytes,
/// then code 3), <c>forever</c>. Its pipes are small, so whoever does not read holds it up.
/// </summary>
internal sealed class FakeExec(string containerId, ExecRecipe recipe) : IExec
{
    private readonly Pipe _stdin = Small();
    private readonly Pipe _stdout = Small();
    private readonly Pipe _stderr = Small();
    private readonly TaskCompletionSource<int> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _started;

    public string Id { get; } = RandomNumberGenerator.GetHexString(64, lowercase: true);
    public string ContainerId => containerId;
    public ExecRecipe Recipe => recipe;
    public bool Running => _started != 0 && !_ended.Task.IsCompleted;
    public int Pid => 4711;
    public int? ExitCode => _ended.Task.IsCompleted ? _ended.Task.GetAwaiter().GetResult() : null;
    public Task<int> Ended => _ended.Task;
    public (uint Width, uint Height) Size { get; private set; }

    public Task<ExecStreams> StartAsync(CancellationToken cancellationToken)
    {
        if (Interlocked.Exchange(ref _started, 1) != 0)
        {
            throw new ClusterException(ErrorKind.Conflict, $"exec session {Id} has already been started");
        }

        _ = RunAsync();
        return Task.FromResult(new ExecStreams(
            recipe.AttachStdin ? _stdin.Writer.AsStream() : Stream.Null,
            recipe.AttachStdout ? _stdout.Reader.AsStream() : Stream.Null,
            recipe.AttachStderr && !recipe.Tty ? _stderr.Reader.AsStream() : Stream.Null));
    }

    public Task<int> WaitAsync(CancellationToken cancellationToken) => _ended.Task.WaitAsync(cancellationToken);

    public Task ResizeAsync(uint width, uint height, CancellationToken cancellationToken)
    {
        Size = (width, height);
        return Task.CompletedTask;
    }

    private static Pipe Small() => new(new PipeOptions(pauseWriterThreshold: 4096, resumeWriterThreshold: 1024, useSynchronizationContext: false));

    private async Task RunAsync()
    {
        await Task.Yield();
        var (stdout, stderr) = (_stdout.Writer.AsStream(), _stderr.Writer.AsStream());
        var code = 0;
        switch ((string[])[.. recipe.Command])
        {
            case ["echo", .. var words]:
                await stdout.WriteAsync(Encoding.UTF8.GetBytes(string.Join(' ', words) + "\n"));
                break;
            case ["cat"]:
                await _stdin.Reader.AsStream().CopyToAsync(stdout);
                break;
            case ["exit", var number]:
                code = int.Parse(number, System.Globalization.CultureInfo.InvariantCulture);
                break;
            case ["both"]:
                await stdout.WriteAsync("out\n"u8.ToArray());
                await stderr.WriteAsync("err\n"u8.ToArray());
                break;
            case ["flood", var bytes]:
                await stdout.WriteAsync(new byte[int.Parse(bytes, System.Globalization.CultureInfo.InvariantCulture)]);
                code = 3;
                break;
            case ["forever"]:
                await _ended.Task;
                break;
            default:
                await stdout.WriteAsync(Encoding.UTF8.GetBytes($"exec: \"{recipe.Command[0]}\": executable file not found in $PATH: unknown\r\n"));
                code = 127;
                break;
        }

        // As the real one: the code is known before the streams end.
        _ended.TrySetResult(code);
        await _stdout.Writer.CompleteAsync();
        await _stderr.Writer.CompleteAsync();
    }
}
