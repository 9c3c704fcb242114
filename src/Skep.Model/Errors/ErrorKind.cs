namespace Skep.Model.Errors;

/// <summary>Every way a request can be refused. Each edge (HTTP, gRPC) maps the whole list in one exhaustive switch.</summary>
public enum ErrorKind
{
    /// <summary>The request is malformed or breaks a rule of the specification.</summary>
    InvalidArgument,

    /// <summary>The request is well formed, but the object's state does not allow it.</summary>
    FailedPrecondition,

    /// <summary>The caller has not proved who it is (a wrong token or key).</summary>
    Unauthorized,

    /// <summary>The caller is known and may not do this.</summary>
    Forbidden,

    /// <summary>No such object.</summary>
    NotFound,

    /// <summary>A name, port or object of that identity exists already, or another operation is under way.</summary>
    Conflict,

    /// <summary>The object was changed since the version that the caller named.</summary>
    OutOfSequence,

    /// <summary>Skep does not do this (yet).</summary>
    NotImplemented,

    /// <summary>This node cannot answer now: not in a swarm, not a manager, no leader, locked, a child process is away.</summary>
    Unavailable,

    /// <summary>The operation did not end in the time it was given.</summary>
    DeadlineExceeded,

    /// <summary>Skep failed at its own job.</summary>
    Internal,
}
