using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Microsoft.Extensions.Logging;
using Skep.Agent.Runtime.Spec;
using Skep.Model.Errors;
using Skep.Protocol.Containerd;
using Skep.Rpc;

namespace Skep.Agent.Runtime;

/// <summary>
/// containerd's calls by name. While it is away (restarted, killed) a call waits for it, for a bounded time. A call that was cut
/// off is made again, so callers of the making kind treat "already there" as done.
/// </summary>
internal sealed class ContainerdClient : IAsyncDisposable
{
    private const string Package = "containerd.services.";
    private static readonly RpcMethod<PrepareSnapshotRequest, PrepareSnapshotResponse> s_prepare = new(Package + "snapshots.v1.Snapshots", "Prepare");
    private static readonly RpcMethod<MountsRequest, MountsResponse> s_mounts = new(Package + "snapshots.v1.Snapshots", "Mounts");
    private static readonly RpcMethod<RemoveSnapshotRequest, Empty> s_removeSnapshot = new(Package + "snapshots.v1.Snapshots", "Remove");
    private static readonly RpcMethod<CreateContainerRequest, CreateContainerResponse> s_createContainer = new(Package + "containers.v1.Containers", "Create");
    private static readonly RpcMethod<ListContainersRequest, ListContainersResponse> s_listContainers = new(Package + "containers.v1.Containers", "List");
    private static readonly RpcMethod<DeleteContainerRequest, Empty> s_deleteContainer = new(Package + "containers.v1.Containers", "Delete");
    private static readonly RpcMethod<CreateTaskRequest, CreateTaskResponse> s_createTask = new(Package + "tasks.v1.Tasks", "Create");
    private static readonly RpcMethod<StartTaskRequest, StartTaskResponse> s_startTask = new(Package + "tasks.v1.Tasks", "Start");
    private static readonly RpcMethod<DeleteTaskRequest, DeleteTaskResponse> s_deleteTask = new(Package + "tasks.v1.Tasks", "Delete");
    private static readonly RpcMethod<DeleteProcessRequest, DeleteTaskResponse> s_deleteProcess = new(Package + "tasks.v1.Tasks", "DeleteProcess");
    private static readonly RpcMethod<GetTaskRequest, GetTaskResponse> s_getTask = new(Package + "tasks.v1.Tasks", "Get");
    private static readonly RpcMethod<ListTasksRequest, ListTasksResponse> s_listTasks = new(Package + "tasks.v1.Tasks", "List");
    private static readonly RpcMethod<KillTaskRequest, Empty> s_kill = new(Package + "tasks.v1.Tasks", "Kill");
    private static readonly RpcMethod<ExecProcessRequest, Empty> s_exec = new(Package + "tasks.v1.Tasks", "Exec");
    private static readonly RpcMethod<ResizePtyRequest, Empty> s_resize = new(Package + "tasks.v1.Tasks", "ResizePty");
    private static readonly RpcMethod<CloseIORequest, Empty> s_closeIO = new(Package + "tasks.v1.Tasks", "CloseIO");
    private static readonly RpcMethod<ListPidsRequest, ListPidsResponse> s_pids = new(Package + "tasks.v1.Tasks", "ListPids");
    private static readonly RpcMethod<SubscribeRequest, Envelope> s_subscribe = new(Package + "events.v1.Events", "Subscribe");
    private static readonly RpcMethod<PublishRequest, Empty> s_publish = new(Package + "events.v1.Events", "Publish");
    private static readonly RpcMethod<Empty, VersionResponse> s_version = new(Package + "version.v1.Version", "Version");

    private readonly RuntimeOptions _options;
    private readonly TimeProvider _clock;
    private readonly ILogger _logger;
    private readonly RpcChannel _channel;

    public ContainerdClient(RuntimeOptions options, TimeProvider clock, ILogger logger)
    {
        (_options, _clock, _logger) = (options, clock, logger);
        _channel = RpcChannel.OverUnixSocket(options.ContainerdSocket).WithHeader("containerd-namespace", options.Namespace);
    }

    /// <summary>A writable layer over an image's; kept from containerd's garbage collector by a label until it is removed.</summary>
    public async Task<IReadOnlyList<Mount>> PrepareAsync(string key, string parent, CancellationToken cancellationToken)
    {
        try
        {
            var request = new PrepareSnapshotRequest { Snapshotter = _options.Snapshotter, Key = key, Parent = parent };
            request.Labels["containerd.io/gc.root"] = _clock.GetUtcNow().ToString("O");
            return (await CallAsync(s_prepare, request, cancellationToken)).Mounts;
        }
        catch (RpcException error) when (error.Code == RpcStatusCode.AlreadyExists)
        {
            return await MountsAsync(key, cancellationToken);
        }
    }

    public async Task<IReadOnlyList<Mount>> MountsAsync(string key, CancellationToken cancellationToken) =>
        (await CallAsync(s_mounts, new MountsRequest { Snapshotter = _options.Snapshotter, Key = key }, cancellationToken)).Mounts;

    public Task RemoveSnapshotAsync(string key, CancellationToken cancellationToken) =>
        UnlessGoneAsync(CallAsync(s_removeSnapshot, new RemoveSnapshotRequest { Snapshotter = _options.Snapshotter, Key = key }, cancellationToken));

    public async Task CreateContainerAsync(string id, string image, byte[] spec, CancellationToken cancellationToken)
    {
        var request = new CreateContainerRequest
        {
            Container = new ContainerObject
            {
                Id = id,
                Image = image,
                Runtime = new ContainerObject.Types.Runtime { Name = "io.containerd.runc.v2" },
                Spec = new Any { TypeUrl = OciSpec.TypeUrl, Value = UnsafeByteOperations.UnsafeWrap(spec) },
                Snapshotter = _options.Snapshotter,
                SnapshotKey = id,
            },
        };
        try
        {
            await CallAsync(s_createContainer, request, cancellationToken);
        }
        catch (RpcException error) when (error.Code == RpcStatusCode.AlreadyExists)
        {
            await DeleteContainerAsync(id, cancellationToken);
            await CallAsync(s_createContainer, request, cancellationToken);
        }
    }

    public async Task<IReadOnlyList<string>> ListContainersAsync(CancellationToken cancellationToken) =>
        [.. (await CallAsync(s_listContainers, new ListContainersRequest(), cancellationToken)).Containers.Select(c => c.Id)];

    public Task DeleteContainerAsync(string id, CancellationToken cancellationToken) =>
        UnlessGoneAsync(CallAsync(s_deleteContainer, new DeleteContainerRequest { Id = id }, cancellationToken));

    public async Task CreateTaskAsync(CreateTaskRequest request, CancellationToken cancellationToken)
    {
        try
        {
            await CallAsync(s_createTask, request, cancellationToken);
        }
        catch (RpcException error) when (error.Code == RpcStatusCode.AlreadyExists)
        {
            // The call was cut off, and what it made may be half done.
            await KillAsync(request.ContainerId, "", Signals.Kill, true, cancellationToken);
            await DeleteTaskAsync(request.ContainerId, cancellationToken);
            await CallAsync(s_createTask, request, cancellationToken);
        }
    }

    public async Task<int> StartAsync(string id, string execId, CancellationToken cancellationToken) =>
        (int)(await CallAsync(s_startTask, new StartTaskRequest { ContainerId = id, ExecId = execId }, cancellationToken)).Pid;

    public Task DeleteTaskAsync(string id, CancellationToken cancellationToken) =>
        UnlessGoneAsync(CallAsync(s_deleteTask, new DeleteTaskRequest { ContainerId = id }, cancellationToken));

    public Task DeleteExecAsync(string id, string execId, CancellationToken cancellationToken) =>
        UnlessGoneAsync(CallAsync(s_deleteProcess, new DeleteProcessRequest { ContainerId = id, ExecId = execId }, cancellationToken));

    /// <summary>Null when there is no such process any more.</summary>
    public async Task<ContainerProcess?> GetAsync(string id, string execId, CancellationToken cancellationToken)
    {
        try
        {
            return (await CallAsync(s_getTask, new GetTaskRequest { ContainerId = id, ExecId = execId }, cancellationToken)).Process;
        }
        catch (RpcException error) when (error.Code == RpcStatusCode.NotFound)
        {
            return null;
        }
    }

    public async Task<IReadOnlyList<ContainerProcess>> ListTasksAsync(CancellationToken cancellationToken) =>
        (await CallAsync(s_listTasks, new ListTasksRequest(), cancellationToken)).Tasks;

    /// <summary>False when the process had ended already.</summary>
    public async Task<bool> KillAsync(string id, string execId, int signal, bool all, CancellationToken cancellationToken)
    {
        try
        {
            await CallAsync(s_kill, new KillTaskRequest { ContainerId = id, ExecId = execId, Signal = (uint)signal, All = all }, cancellationToken);
            return true;
        }
        catch (RpcException error) when (error.Code == RpcStatusCode.NotFound)
        {
            return false;
        }
    }

    public Task ExecAsync(ExecProcessRequest request, CancellationToken cancellationToken) => CallAsync(s_exec, request, cancellationToken);

    public Task ResizeAsync(string id, string execId, uint width, uint height, CancellationToken cancellationToken) =>
        CallAsync(s_resize, new ResizePtyRequest { ContainerId = id, ExecId = execId, Width = width, Height = height }, cancellationToken);

    public Task CloseStdinAsync(string id, string execId, CancellationToken cancellationToken) =>
        UnlessGoneAsync(CallAsync(s_closeIO, new CloseIORequest { ContainerId = id, ExecId = execId, Stdin = true }, cancellationToken));

    public async Task<IReadOnlyList<int>> PidsAsync(string id, CancellationToken cancellationToken) =>
        [.. (await CallAsync(s_pids, new ListPidsRequest { ContainerId = id }, cancellationToken)).Processes.Select(p => (int)p.Pid)];

    /// <summary>Not made again when it breaks: the subscriber has to read the state anew.</summary>
    public IAsyncEnumerable<Envelope> SubscribeAsync(IEnumerable<string> filters, CancellationToken cancellationToken) =>
        _channel.ServerStreamAsync(s_subscribe, new SubscribeRequest { Filters = { filters } }, cancellationToken);

    public Task PublishAsync(string topic, IMessage message, CancellationToken cancellationToken) =>
        CallAsync(s_publish, new PublishRequest { Topic = topic, Event = Any.Pack(message, "types.skep") }, cancellationToken);

    public async Task<string> VersionAsync(CancellationToken cancellationToken) =>
        (await CallAsync(s_version, new Empty(), cancellationToken)).Version;

    public ValueTask DisposeAsync() => _channel.DisposeAsync();

    private static async Task UnlessGoneAsync(Task call)
    {
        try
        {
            await call;
        }
        catch (RpcException error) when (error.Code == RpcStatusCode.NotFound)
        {
        }
    }

    private async Task<TResponse> CallAsync<TRequest, TResponse>(RpcMethod<TRequest, TResponse> method, TRequest request, CancellationToken cancellationToken)
        where TRequest : class, IMessage<TRequest>, new()
        where TResponse : class, IMessage<TResponse>, new()
    {
        var began = _clock.GetTimestamp();
        var pause = TimeSpan.FromMilliseconds(20);
        while (true)
        {
            try
            {
                return await _channel.UnaryAsync(method, request, cancellationToken);
            }
            catch (RpcException error) when (error.Code == RpcStatusCode.Unavailable)
            {
                if (_clock.GetElapsedTime(began) >= _options.RetryFor)
                {
                    throw new ClusterException(ErrorKind.Unavailable, $"containerd does not answer: {error.Message}", error);
                }

                _logger.CallRepeated(method.Name, error.Message);
                await Task.Delay(pause, _clock, cancellationToken);
                pause = TimeSpan.FromMilliseconds(Math.Min(500, pause.TotalMilliseconds * 2));
            }
        }
    }
}
