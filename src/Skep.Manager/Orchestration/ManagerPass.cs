using Microsoft.Extensions.Logging;
using Skep.Manager.Allocation;
using Skep.Manager.Store;
using Skep.Model.Errors;
using Skep.Model.Objects;

namespace Skep.Manager.Orchestration;

/// <summary>
/// The leader's memory and its passes: events in, one transaction out. A commit that another writer overtook is taken back and
/// done again on the newer view.
/// </summary>
public sealed class ManagerPass
{
    /// <summary>The most changes in one transaction.</summary>
    public const int MostChanges = 500;

    /// <summary>How long addresses stay out of use whose commit got no answer.</summary>
    private static readonly TimeSpan s_doubt = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan s_retry = TimeSpan.FromSeconds(1);

    private readonly IClusterStore _store;
    private readonly TimeProvider _clock;
    private readonly ILogger _logger;
    private readonly ClusterBooks _books = new();
    private readonly UpdateJournal _journal = new();
    private readonly OverlapWatch _overlaps;
    private readonly Pipeline _pipeline;
    private readonly List<(DateTimeOffset Until, string Owner)> _doubted = [];
    private StoreView _view;
    private Dirt _dirt;
    private ulong _mustSee;
    private DateTimeOffset? _retryAt;

    public ManagerPass(IClusterStore store, StoreView view, TimeProvider clock, ILogger logger, Func<string> newId)
    {
        (_store, _view, _clock, _logger) = (store, view, clock, logger);
        _pipeline = new Pipeline(_journal, newId);
        _books.Rebuild(view);
        _overlaps = new OverlapWatch(view, logger);
        _journal.Rebuild(view);
        _dirt = Dirt.All(view);
    }

    /// <summary>What is in use, as this leader knows it.</summary>
    public ClusterBooks Books => _books;

    /// <summary>When a pass is due though nothing changes; null = never.</summary>
    public DateTimeOffset? WakeAt => _retryAt ?? (_view.Revision < _mustSee ? null : _pipeline.WakeAt);

    public void Apply(StoreCommit commit)
    {
        foreach (var change in commit.Events)
        {
            _books.Apply(change);
            _journal.Apply(change);
            _dirt.Mark(change, commit.View);
            _overlaps.Look(change, commit.View);
        }

        _view = commit.View;
    }

    /// <summary>One pass over what changed. Returns how many changes were committed.</summary>
    /// <exception cref="ClusterException">Unavailable: the store gives no answer; what was done is in doubt and the pass is still due.</exception>
    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        var now = _clock.GetUtcNow();
        // The view must have our own last commit in it, and after a refusal the write that caused it.
        if (_view.Revision < _mustSee && !(_retryAt <= now))
        {
            return 0;
        }

        _retryAt = null;
        SettleDoubts(now);
        _pipeline.AddDue(_dirt, _view, now);
        if (_dirt.IsEmpty)
        {
            return 0;
        }

        var work = new WorkingSet(_view, _books, now);
        _pipeline.Run(work, _dirt);
        var changes = work.Changes();
        if (!await CommitAsync(changes, now, cancellationToken))
        {
            return 0;
        }

        _dirt = new Dirt();
        return changes.Count;
    }

    /// <summary>A commit without changes: when it returns, the view is as new as every commit of an earlier leader.</summary>
    public async Task CatchUpAsync(CancellationToken cancellationToken)
    {
        await _store.CommitAsync(new StoreTransaction { LeaderOnly = true }, cancellationToken);
        _mustSee = Math.Max(_mustSee, _store.Current.Revision);
        // The store's revision also counts writes that are no object's (a lease): no event may ever come for it, so this wait ends.
        _retryAt = _view.Revision < _mustSee ? _clock.GetUtcNow() + s_retry : null;
    }

    private async Task<bool> CommitAsync(IReadOnlyList<StoreChange> changes, DateTimeOffset now, CancellationToken cancellationToken)
    {
        for (var done = 0; done < changes.Count; done += MostChanges)
        {
            var part = changes.Skip(done).Take(MostChanges).ToArray();
            try
            {
                _mustSee = await _store.CommitAsync(Transaction(part), cancellationToken);
                Tell(part);
            }
            catch (ClusterException refused) when (refused.Kind is ErrorKind.OutOfSequence or ErrorKind.Conflict or ErrorKind.NotFound)
            {
                _logger.Overtaken(refused.Message);
                _books.Revert(changes.Skip(done), _view);
                _mustSee = Math.Max(_mustSee, _view.Revision + 1);
                _retryAt = now + s_retry;
                return false;
            }
            catch (Exception)
            {
                // Nobody knows whether this part was stored: its addresses belong to nobody else for a while.
                foreach (var owner in part.Select(c => c.Value.Id))
                {
                    _books.Addresses.Doubt(owner);
                    _doubted.Add((now + s_doubt, owner));
                }

                _books.Revert(changes.Skip(done), _view);
                throw;
            }
        }

        return true;
    }

    private static StoreTransaction Transaction(IEnumerable<StoreChange> changes)
    {
        var transaction = new StoreTransaction { LeaderOnly = true };
        foreach (var change in changes)
        {
            _ = change.Verb switch
            {
                StoreVerb.Create => transaction.Create(change.Value),
                StoreVerb.Update => transaction.Update(change.Value),
                _ => transaction.Remove(change.Value),
            };
        }

        return transaction;
    }

    private void SettleDoubts(DateTimeOffset now)
    {
        foreach (var (_, owner) in _doubted.Where(d => d.Until <= now))
        {
            _books.Addresses.Settle(owner);
        }

        _doubted.RemoveAll(d => d.Until <= now);
    }

    private void Tell(StoreChange[] changes)
    {
        foreach (var change in changes)
        {
            switch (change.Value)
            {
                case SwarmTask { Status.Err: { } why } task
                    when change.Verb != StoreVerb.Remove && task.Status.State < Model.States.TaskState.Assigned && _view.Tasks.GetValueOrDefault(task.Id)?.Status.Err != why:
                    _logger.TaskWaits(task.Id, task.ServiceName, why);
                    break;
                case SwarmService { UpdateStatus: { } update } service
                    when _view.Services.GetValueOrDefault(service.Id)?.UpdateStatus?.State != update.State:
                    _logger.UpdateMoved(service.Spec.Name, update.Message);
                    break;
                case SwarmNetwork { AllocationError: { } error } network:
                    _logger.NetworkUnallocated(network.Spec.Name, error);
                    break;
            }
        }

        _logger.Committed(changes.Length, _mustSee);
    }
}
