using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Skep.Agent.Runtime.Native;
using Skep.Agent.Runtime.Spec;
using Skep.Model.Errors;
using Skep.Protocol.Containerd;
using Skep.Rpc;

namespace Skep.Agent.Runtime;

/// <summary>A command inside a container. Its streams end only when its exit code is known, so who has read to the end can ask for it.</summary>
internal sealed class Exec(RuntimeParts parts, Container container, ExecRecipe recipe, bool announce) : IExec
{
    private readonly TaskCompletionSource<ProcessExit> _exit = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<int> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _started;
    private int _exitCode = -1;

    public string Id { get; } = RandomNumberGenerator.GetHexString(64, lowercase: true);
    public string ContainerId => container.Id;
    public ExecRecipe Recipe { get; } = recipe;
    public bool Running { get; private set; }
    public int Pid { get; private set; }
    public int? ExitCode => _exitCode < 0 ? null : _exitCode;
    public DateTimeOffset EndedAt { get; private set; }

    public void SetExit(ProcessExit exit) => _exit.TrySetResult(exit);

    public async Task<ExecStreams> StartAsync(CancellationToken cancellationToken)
    {
        if (Interlocked.Exchange(ref _started, 1) != 0)
        {
            throw new ClusterException(ErrorKind.Conflict, $"exec session {Id} has already been started");
        }

        if (!container.IsRunning)
        {
            Finish(UnstartedCode);
            throw container.NotRunning();
        }

        var folder = Path.Combine(parts.FifoRoot, container.Id, Id[..16]);
        Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var io = new ExecStdio(parts, folder, Recipe, () => CloseStdinAsync());
        try
        {
            await RunAsync(io);
        }
        catch (Exception error) when (error is RpcException or ClusterException)
        {
            Finish(ContainerLife.ExitCodeOf(error.Message));
            await io.CloseAsync(Recipe.AttachStdout || Recipe.AttachStderr ? Encoding.UTF8.GetBytes(error.Message + "\r\n") : []);
            Announce("exec_die");
            if (!Recipe.AttachStdout && !Recipe.AttachStderr)
            {
                throw new ClusterException(ErrorKind.InvalidArgument, error.Message, error);
            }
        }

        return io.Streams;
    }

    public async Task<int> WaitAsync(CancellationToken cancellationToken) => await _ended.Task.WaitAsync(cancellationToken);

    public async Task ResizeAsync(uint width, uint height, CancellationToken cancellationToken)
    {
        if (Running)
        {
            await parts.Client.ResizeAsync(container.Id, Id, width, height, cancellationToken);
        }
    }

    /// <summary>Ends it the hard way.</summary>
    public Task KillAsync() => parts.Client.KillAsync(container.Id, Id, Signals.Kill, false, CancellationToken.None);

    private const int UnstartedCode = 137;

    private async Task RunAsync(ExecStdio io)
    {
        var process = OciSpec.WriteProcess(Settings(), Recipe.Command);
        await parts.Client.ExecAsync(
            new ExecProcessRequest
            {
                ContainerId = container.Id,
                ExecId = Id,
                Stdin = io.Stdin,
                Stdout = io.Stdout,
                Stderr = io.Stderr,
                Terminal = Recipe.Tty,
                Spec = new Any { TypeUrl = OciSpec.ProcessTypeUrl, Value = UnsafeByteOperations.UnsafeWrap(process) },
            },
            CancellationToken.None);
        Running = true;
        try
        {
            Pid = await parts.Client.StartAsync(container.Id, Id, CancellationToken.None);
        }
        catch (RpcException)
        {
            await DeleteAsync();
            throw;
        }

        Announce("exec_start");
        _ = EndAsync(io);
    }

    private async Task EndAsync(ExecStdio io)
    {
        var exit = await _exit.Task;
        // containerd's answer to the deletion says that the shim has copied all output.
        await DeleteAsync();
        await io.DrainAsync();
        Finish(exit.Code);
        Announce("exec_die", ("exitCode", exit.Code.ToString(CultureInfo.InvariantCulture)));
        await io.CloseAsync([]);
    }

    private void Finish(int code)
    {
        (_exitCode, Running, EndedAt) = (code, false, parts.Clock.GetUtcNow());
        _ended.TrySetResult(code);
    }

    private async Task DeleteAsync()
    {
        try
        {
            await parts.Client.DeleteExecAsync(container.Id, Id, CancellationToken.None);
        }
        catch (Exception error) when (error is RpcException or ClusterException)
        {
            parts.Logger.NotCleaned(container.Id, error.Message);
        }
    }

    private async Task CloseStdinAsync()
    {
        try
        {
            await parts.Client.CloseStdinAsync(container.Id, Id, CancellationToken.None);
        }
        catch (Exception error) when (error is RpcException or ClusterException)
        {
            // The command has ended in the meantime.
            parts.Logger.CallRepeated("CloseIO", error.Message);
        }
    }

    private ProcessSettings Settings()
    {
        var settings = container.Process with
        {
            Tty = Recipe.Tty,
            Env = ConfigMerge.MergeEnv(Recipe.Tty ? ConfigMerge.MergeEnv(["TERM=xterm"], container.Process.Env) : container.Process.Env, Recipe.Env),
            WorkingDir = Recipe.WorkingDir is { Length: > 0 } dir ? dir : container.Process.WorkingDir,
            Capabilities = Recipe.Privileged ? Capabilities.All : container.Process.Capabilities,
        };
        if (Recipe.User is not { Length: > 0 } user)
        {
            return settings;
        }

        using var root = RootFileSystem.OfProcess(container.Snapshot.Pid);
        return root.ReadUsers().Resolve(user, container.Recipe.Groups, settings);
    }

    private void Announce(string action, params ReadOnlySpan<(string Key, string Value)> more)
    {
        if (announce)
        {
            var words = action == "exec_start" ? $"{action}: {string.Join(' ', Recipe.Command)}" : action;
            container.Publish(words, [("execID", Id), .. more]);
        }
    }
}
