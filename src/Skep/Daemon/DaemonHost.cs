using System.Net;
using Skep.Agent.Images;
using Skep.Agent.Images.Registry;
using Skep.Agent.Runtime;
using Skep.Agent.Volumes;
using Skep.Daemon.Http;
using Skep.Daemon.Http.Events;
using Skep.Daemon.Memory;
using Skep.Daemon.Startup;
using Skep.Daemon.Swarm;
using Skep.Network;
using Skep.Network.Dns;
using Skep.Network.Sockets;
using Skep.Rpc;

namespace Skep.Daemon;

/// <summary>
/// The daemon: starts its parts in stages (containerd, images and containers, Engine API, membership) and stops them in reverse.
/// Children and containers go on when it stops; the next daemon takes them over.
/// </summary>
public static class DaemonHost
{
    private const UnixFileMode Traversable = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
        | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;

    /// <summary>Runs until <paramref name="stopping"/> ends it.</summary>
    public static async Task RunAsync(DaemonOptions options, CancellationToken stopping)
    {
        var clock = TimeProvider.System;
        using var logging = LoggerFactory.Create(builder => builder
            .SetMinimumLevel(options.LogLevel)
            .AddFilter("Microsoft", options.LogLevel < LogLevel.Information ? options.LogLevel : LogLevel.Warning)
            .AddProvider(new JournalLoggerProvider(options.LogLevel, clock)));
        var log = logging.CreateLogger("Skep.Daemon.Startup");
        if (options.DataPlane == DataPlane.Classic)
        {
            await ClassicDataPlane.CheckAsync(stopping);
        }

        Directory.CreateDirectory(options.DataRoot, Traversable);
        Directory.CreateDirectory(options.RunRoot, Traversable);

        using var ending = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        ResidentMemory.LimitArenas();
        var loops = new DaemonLoops(ending, logging);
        loops.Start("idle memory", IdleMemory.Create(clock).RunAsync);
        var containerd = new ContainerdProcess(options, clock, logging);
        loops.Start("containerd", containerd.RunAsync);
        try
        {
            var serving = ServeAsync(options, containerd.Socket, loops, clock, logging, log, ending.Token);
            await EndedAsync(serving, ending.Token);
            await serving.WaitAsync(options.ShutdownTimeout, clock, CancellationToken.None);
        }
        catch (OperationCanceledException) when (ending.IsCancellationRequested)
        {
            log.Stopped();
        }
        catch (TimeoutException)
        {
            log.StopAbandoned(options.ShutdownTimeout.TotalSeconds);
            return;
        }
        finally
        {
            await ending.CancelAsync();
            await loops.EndedAsync();
        }

        loops.ThrowIfFailed();
    }

    /// <summary>Completes when the work has ended or is to end.</summary>
    private static async Task EndedAsync(Task work, CancellationToken ending)
    {
        var told = new TaskCompletionSource();
        await using var registration = ending.Register(told.SetResult);
        await Task.WhenAny(work, told.Task);
    }

    private static async Task ServeAsync(
        DaemonOptions options, string containerd, DaemonLoops loops, TimeProvider clock, ILoggerFactory logging, ILogger log, CancellationToken stopping)
    {
        var began = clock.GetTimestamp();
        await using var channel = RpcChannel.OverUnixSocket(containerd).WithHeader("containerd-namespace", "skep");
        using var images = new ContainerdImageStore(
            channel, new RegistryOptions { InsecureRegistries = options.InsecureRegistries }, clock, logging.CreateLogger<ContainerdImageStore>());
        var runtimeOptions = new RuntimeOptions { DataRoot = options.DataRoot, RunRoot = options.RunRoot, ContainerdSocket = containerd };
        await using var runtime = await ContainerdRuntime.OpenAsync(
            runtimeOptions,
            images,
            new VolumeStore(options.DataRoot, clock),
            clock,
            logging.CreateLogger<ContainerdRuntime>(),
            stopping);
        var events = new EngineEvents();
        loops.Start("container events", token => ContainerEvents.FollowAsync(runtime, events, token));
        await using var names = new NameServer([.. options.Dns.Select(IPAddress.Parse)], clock, logging.CreateLogger<NameServer>(), balances6: options.DataPlane == DataPlane.Nftables);
        await using var node = new LocalNode(new SwarmParts
        {
            Options = options,
            Runtime = runtime,
            Images = images,
            Network = (nodeId, vtep) => new NodeNetwork(
                new NodeNetworkOptions
                {
                    Classic = options.DataPlane == DataPlane.Classic,
                    NodeId = nodeId,
                    Vtep = vtep,
                    StateFolder = Path.Combine(options.DataRoot, "network"),
                    GatewaySubnets = [.. options.DefaultAddressPools.SelectMany(p => p.Subnets())],
                    SocketGroup = SocketGroup.Find(runtimeOptions.CgroupParent),
                    // Classic is what Swarm does, and what its users' commands show.
                    SocketBalancing = options.SocketBalancing && options.DataPlane == DataPlane.Nftables,
                    Clock = clock,
                },
                names,
                logging.CreateLogger<NodeNetwork>()),
            Loops = loops.Supervisor,
            FollowStore = (store, token) => ClusterEvents.FollowAsync(store, events, clock, token),
            Clock = clock,
            Logging = logging,
            Version = EngineIdentity.ProductVersion,
        });
        await node.ResumeAsync(stopping);
        var services = new EngineServices
        {
            Swarm = node,
            Network = new CurrentNetwork(() => node.CurrentNetwork),
            Containers = runtime,
            Images = images,
            Events = events,
            Clock = clock,
            Logging = logging,
            Identity = await MachineIdentity.ReadAsync(options, await runtime.VersionAsync(stopping), stopping),
        };
        await using var server = await EngineServer.StartAsync(services, options.Socket, options.SocketGroup, stopping);
        log.Ready(options.Socket, clock.GetElapsedTime(began).TotalMilliseconds);
        SystemdNotify.FromEnvironment().Ready($"Engine API at {options.Socket}");
        await Task.Delay(Timeout.InfiniteTimeSpan, clock, stopping);
    }
}
