using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Skep.Manager.Store;
using Skep.Model.Errors;
using Skep.Model.Objects;

namespace Skep.Testing.Store;

/// <summary>A store in memory that refuses exactly what the real one refuses. Thread-safe.</summary>
public sealed class FakeClusterStore : IClusterStore
{
    private readonly Lock _gate = new();
    private readonly List<Channel<StoreCommit>> _followers = [];
    private StoreView _current = StoreView.Empty;

    public StoreView Current => Volatile.Read(ref _current);

    /// <summary>Set to false to lose the leadership: transactions that need it fail.</summary>
    public bool IsLeader { get; set; } = true;

    /// <summary>Streams that are open.</summary>
    public int Followers
    {
        get
        {
            lock (_gate)
            {
                return _followers.Count;
            }
        }
    }

    public StoreSubscription SnapshotAndFollow()
    {
        lock (_gate)
        {
            var channel = Channel.CreateUnbounded<StoreCommit>(new UnboundedChannelOptions { SingleReader = true });
            _followers.Add(channel);
            return new StoreSubscription(_current, FollowAsync(channel));
        }
    }

    public Task<ulong> CommitAsync(StoreTransaction transaction, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        transaction.Check();
        lock (_gate)
        {
            if (transaction.LeaderOnly && !IsLeader)
            {
                throw new ClusterException(ErrorKind.Unavailable, "this manager is not the leader");
            }

            if (transaction.IsEmpty)
            {
                return Task.FromResult(_current.Revision);
            }

            var names = new HashSet<string>();
            foreach (var change in transaction.Changes)
            {
                Check(change, names);
            }

            var revision = _current.Revision + 1;
            var commit = _current.Apply(
                revision,
                transaction.Changes.Where(c => c.Verb != StoreVerb.Remove).Select(c => c.Value with { Version = revision }),
                transaction.Changes.Where(c => c.Verb == StoreVerb.Remove).Select(c => (c.Value.Kind, c.Value.Id)));
            Volatile.Write(ref _current, commit.View);
            foreach (var follower in _followers)
            {
                follower.Writer.TryWrite(commit);
            }

            return Task.FromResult(revision);
        }
    }

    /// <param name="change">The change to judge.</param>
    /// <param name="names">The names that the transaction has taken or given up so far; each may be touched once.</param>
    private void Check(StoreChange change, HashSet<string> names)
    {
        var (verb, value) = change;
        var stored = _current.Find(value.Kind, value.Id);
        if (verb == StoreVerb.Create)
        {
            if (stored is not null)
            {
                throw Exists(value);
            }
        }
        else if (stored is null)
        {
            throw ClusterException.NotFound(value.Kind.Word(), value.Id);
        }
        else if (stored.Version != value.Version)
        {
            throw ClusterException.OutOfSequence();
        }

        var before = stored is null ? null : NameKey(stored);
        var after = verb == StoreVerb.Remove ? null : NameKey(value);
        if (before == after)
        {
            return;
        }

        if (after is not null && (NameTaken(value) || !names.Add(after)))
        {
            throw Exists(value);
        }

        if (before is not null && !names.Add(before))
        {
            throw Exists(value);
        }
    }

    private static string? NameKey(SwarmObject value) =>
        value.UniqueName is { } name ? $"{value.Kind}/{name.ToLowerInvariant()}" : null;

    private static ClusterException Exists(SwarmObject value) =>
        new(ErrorKind.Conflict, $"{value.Kind.Word()} {value.UniqueName ?? value.Id} already exists");

    private bool NameTaken(SwarmObject value) => value.UniqueName is { } name && value.Kind switch
    {
        ObjectKind.Service => _current.ServiceNamed(name) is not null,
        ObjectKind.Network => _current.NetworkNamed(name) is not null,
        _ => false,
    };

    private async IAsyncEnumerable<StoreCommit> FollowAsync(
        Channel<StoreCommit> channel,
        [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        try
        {
            await foreach (var commit in channel.Reader.ReadAllAsync(cancellationToken))
            {
                yield return commit;
            }
        }
        finally
        {
            lock (_gate)
            {
                _followers.Remove(channel);
            }
        }
    }
}
