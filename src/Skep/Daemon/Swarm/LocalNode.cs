using System.Globalization;
using Skep.Manager.Certificates;
using Skep.Model.Errors;
using Skep.Network;
using Skep.Model.Objects;

namespace Skep.Daemon.Swarm;

/// <summary>
/// This machine's membership. Changes of it go one at a time; what it runs as a member lives until it leaves or the daemon stops.
/// </summary>
public sealed class LocalNode(SwarmParts parts) : ISwarmNode, IAsyncDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(20);

    private readonly SemaphoreSlim _changing = new(1);
    private readonly SwarmFolder _folder = new(Path.Combine(parts.Options.DataRoot, "swarm"));
    private volatile Member? _member;
    private volatile string _error = "";
    private volatile bool _pending;

    public ManagerPart? Manager => _member?.Manager?.Part;

    /// <summary>The data plane of the present membership; null while there is none.</summary>
    public Network.INodeNetwork? CurrentNetwork => _member?.Network;

    public SwarmMembership Membership => _member is { } member
        ? member.Membership(_pending ? "pending" : "active", _error)
        : new SwarmMembership { State = _pending ? "pending" : _error.Length > 0 ? "error" : "inactive", Error = _error };

    /// <summary>Takes up the membership that was there before the daemon stopped. Never fails: what goes wrong is tried again and shown.</summary>
    public async Task ResumeAsync(CancellationToken cancellationToken)
    {
        await _changing.WaitAsync(cancellationToken);
        try
        {
            if (SwarmState.Load(_folder.State) is not { } state)
            {
                _folder.Clear();
                return;
            }

            _pending = true;
            var identity = NodeIdentity.Load(_folder.Certificates)
                ?? throw new ClusterException(ErrorKind.Internal, $"{_folder.Certificates} has no identity; leave the swarm with --force and join again");
            _member = await Member.StartAsync(parts, _folder, identity, state, cancellationToken);
        }
        catch (Exception e) when (e is ClusterException or IOException)
        {
            _error = e.Message;
            parts.Log.ResumeFailed(e.Message);
        }
        finally
        {
            _pending = false;
            _changing.Release();
        }
    }

    public async Task<string> InitAsync(SwarmInit request, CancellationToken cancellationToken)
    {
        await EnterAsync(cancellationToken);
        try
        {
            if (request.AutoLock || request.Spec.EncryptionConfig.AutoLockManagers)
            {
                throw new ClusterException(ErrorKind.NotImplemented, "this version of Skep cannot lock its managers yet; leave out --autolock");
            }

            if (request.ForceNewCluster)
            {
                throw new ClusterException(ErrorKind.NotImplemented, "this version of Skep runs one manager, so there is no quorum to force; leave out --force-new-cluster");
            }

            var cluster = ClusterMaker.Check(request);
            var advertise = AdvertiseAddress.Choose(request.AdvertiseAddress, request.ListenAddress);
            var (_, port) = HostPort.Parse(request.ListenAddress, HostPort.DefaultControlPort);
            var state = new SwarmState
            {
                ListenAddress = request.ListenAddress,
                AdvertiseAddress = advertise,
                DataPathAddress = request.DataPathAddress.Length > 0 ? AdvertiseAddress.Resolve(request.DataPathAddress) : advertise,
                IsManager = true,
            };

            _folder.Clear();
            _folder.Create();
            using var root = RootAuthority.Create(parts.Clock);
            var founded = ClusterMaker.Found(cluster, root, _folder, HostPort.Format(advertise, port), request.Availability, parts.Clock);

            // The ingress network gets its subnet in the first pass, before the node has called for the first time.
            founded = founded with
            {
                Node = founded.Node with { Description = new NodeDescription { Hostname = NodeDescriber.HostName(), Prefixes = HostPrefixes.OfThisHost() } },
            };
            state = state with { Managers = [new ManagerPlace(founded.Node.Id, HostPort.Format(advertise, port))] };
            return await BeginAsync(founded.Identity, state, founded, cancellationToken);
        }
        finally
        {
            Leave();
        }
    }

    public async Task JoinAsync(SwarmJoin request, CancellationToken cancellationToken)
    {
        await EnterAsync(cancellationToken);
        try
        {
            var remote = request.RemoteAddresses.Count > 0
                ? request.RemoteAddresses[0]
                : throw ClusterException.Invalid("at least one remote address of a manager is needed to join");
            var (host, port) = HostPort.Parse(remote, HostPort.DefaultControlPort);
            _folder.Clear();
            _folder.Create();
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            patience.CancelAfter(s_patience);
            NodeIdentity identity;
            try
            {
                identity = await Enrollment.JoinAsync(HostPort.Format(host, port), request.Token, request.Availability, _folder.Certificates, patience.Token);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                throw new ClusterException(ErrorKind.Unavailable, $"no manager answered at {remote} within {s_patience.TotalSeconds.ToString(CultureInfo.InvariantCulture)} s");
            }

            var advertise = request.AdvertiseAddress.Length > 0 ? AdvertiseAddress.Resolve(request.AdvertiseAddress) : AdvertiseAddress.Towards(host, port);
            var state = new SwarmState
            {
                ListenAddress = request.ListenAddress,
                AdvertiseAddress = advertise,
                DataPathAddress = request.DataPathAddress.Length > 0 ? AdvertiseAddress.Resolve(request.DataPathAddress) : advertise,
                Managers = [new ManagerPlace("", HostPort.Format(host, port))],
            };
            await BeginAsync(identity, state, founded: null, cancellationToken);
        }
        finally
        {
            Leave();
        }
    }

    public async Task LeaveAsync(bool force, CancellationToken cancellationToken)
    {
        await _changing.WaitAsync(cancellationToken);
        try
        {
            if (_member is null && !File.Exists(_folder.State))
            {
                throw SwarmRefusals.NotMember();
            }

            if (!force && (_member?.Manager is not null || SwarmState.Load(_folder.State) is { IsManager: true }))
            {
                throw SwarmRefusals.LastManager();
            }

            if (_member is { } member)
            {
                await member.EndAsync(removeAll: true, cancellationToken);
            }

            _member = null;
            _error = "";
            _folder.Clear();
            parts.Log.Left();
        }
        finally
        {
            _changing.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_member is { } member)
        {
            await member.EndAsync(removeAll: false, CancellationToken.None);
        }

        _changing.Dispose();
    }

    private async Task EnterAsync(CancellationToken cancellationToken)
    {
        await _changing.WaitAsync(cancellationToken);
        if (_member is not null || File.Exists(_folder.State))
        {
            _changing.Release();
            throw SwarmRefusals.AlreadyMember();
        }

        _pending = true;
    }

    private void Leave()
    {
        _pending = false;
        _changing.Release();
    }

    /// <summary>Starts the member; what fails before it is one leaves nothing behind.</summary>
    private async Task<string> BeginAsync(NodeIdentity identity, SwarmState state, FoundedSwarm? founded, CancellationToken cancellationToken)
    {
        Member member;
        try
        {
            member = await Member.StartAsync(parts, _folder, identity, state, cancellationToken, founded);
        }
        catch
        {
            _folder.Clear();
            throw;
        }

        // From here on the node is a member, also when it takes longer than the caller waits.
        member.SaveState();
        _member = member;
        _error = "";
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(s_patience);
        try
        {
            await member.ReadyAsync(patience.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw SwarmRefusals.JoinTimeout();
        }

        parts.Log.Joined(identity.Peer.NodeId, identity.Peer.Role, identity.Peer.SwarmId);
        return identity.Peer.NodeId;
    }
}
