using Skep.Model.Errors;
using Skep.Model.Objects;

namespace Skep.Manager.Store;

/// <summary>
/// A list of changes that are made together or not at all. An updated or removed object is compared by its
/// <see cref="SwarmObject.Version"/>: pass the value that was read, changed with <c>with</c>.
/// </summary>
public sealed class StoreTransaction
{
    /// <summary>The most changes of one transaction; a larger plan is made in several steps.</summary>
    public const int MostChanges = 2000;

    private readonly List<StoreChange> _changes = [];

    public IReadOnlyList<StoreChange> Changes => _changes;

    /// <summary>When set, the commit fails unless this manager still is the leader.</summary>
    public bool LeaderOnly { get; init; }

    public bool IsEmpty => _changes.Count == 0;

    public StoreTransaction Create(SwarmObject value) => Add(StoreVerb.Create, value);

    public StoreTransaction Update(SwarmObject value) => Add(StoreVerb.Update, value);

    public StoreTransaction Remove(SwarmObject value) => Add(StoreVerb.Remove, value);

    /// <summary>What every store refuses before it looks at its contents.</summary>
    /// <exception cref="ClusterException">InvalidArgument: too many changes, or two of one object.</exception>
    public void Check()
    {
        if (_changes.Count > MostChanges)
        {
            throw ClusterException.Invalid($"a transaction has {_changes.Count} changes; the most is {MostChanges}");
        }

        var seen = new HashSet<(ObjectKind, string)>(_changes.Count);
        foreach (var (_, value) in _changes)
        {
            if (!seen.Add((value.Kind, value.Id)))
            {
                throw ClusterException.Invalid($"a transaction changes {value.Kind.Word()} {value.Id} twice");
            }
        }
    }

    private StoreTransaction Add(StoreVerb verb, SwarmObject value)
    {
        _changes.Add(new StoreChange(verb, value));
        return this;
    }
}

public enum StoreVerb
{
    Create,
    Update,
    Remove,
}

public readonly record struct StoreChange(StoreVerb Verb, SwarmObject Value);
